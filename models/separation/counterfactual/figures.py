"""What the numbers of the counterfactual separator are called: those of every separator, and losses of its own unit."""

from models.music.figures import Figure
from models.separation import figures

SHARE = "of the mixture's magnitude"

FIGURES = {
    **figures.FIGURES,
    "loss": Figure("validation loss", SHARE, better="lower"),
    "train_loss": Figure("training loss", SHARE, better="lower"),
    "generation": Figure("instrumental off by", SHARE, better="lower"),
    "separation": Figure("vocals off by", SHARE, better="lower"),
    "usdr_instrumental": Figure("uSDR of the instrumental", figures.DB, better="higher"),
}
