"""What the numbers of the groove model are called, in which units, and which way is better.

Errors are those of the mean playing, divergences and spreads those of the sampled one (models/groove/metrics.py).
"""

from models.music.figures import Figure

NATS = "nats a window"

FIGURES = {
    "loss": Figure("validation loss", NATS, better="lower"),
    "train_loss": Figure("training loss", NATS, better="lower"),
    "timing_mae_ms": Figure("timing error", "ms", better="lower"),
    "velocity_mae": Figure("velocity error", "of 127", better="lower"),
    "timing_kl": Figure("timing, divergence from people", "nats", better="lower"),
    "velocity_kl": Figure("velocity, divergence from people", "nats", better="lower"),
    "timing_sd_ratio": Figure("spread of timing", "× people's", better=1.0),
    "velocity_sd_ratio": Figure("spread of velocity", "× people's", better=1.0),
    "timing_mse_16ths": Figure("squared timing error", "sixteenths²", better="lower"),
    "velocity_rmse": Figure("velocity error, root of mean square", "of 127", better="lower"),
    "same_step_correlation": Figure("correlation of drums struck together"),
    "tap_f1": Figure("hits found from a tap", "F1", better="higher"),
}
