"""What the numbers of a separator are called, in which units, and which way is better.

uSDR counts a whole song, cSDR the median of its seconds (models/separation/metrics.py).
"""

from models.music.figures import Figure

DB = "dB"

FIGURES = {
    "loss": Figure("validation loss", DB, better="lower"),
    "train_loss": Figure("training loss", DB, better="lower"),
    "usdr": Figure("uSDR", DB, better="higher"),
    "csdr": Figure("cSDR", DB, better="higher"),
    "si_sdr": Figure("SI-SDR", DB, better="higher"),
    "usdr_drums": Figure("uSDR of drums", DB, better="higher"),
    "usdr_bass": Figure("uSDR of bass", DB, better="higher"),
    "usdr_other": Figure("uSDR of other", DB, better="higher"),
    "usdr_vocals": Figure("uSDR of vocals", DB, better="higher"),
}
