"""What the numbers of the roles are called, in which units, and which way is better."""

from models.music.figures import Figure

NATS = "nats a one-shot"

FIGURES = {
    "loss": Figure("validation loss", NATS, better="lower"),
    "train_loss": Figure("training loss", NATS, better="lower"),
    "label_accuracy": Figure("labels that are right", better="higher"),
    "macro_accuracy": Figure("macro accuracy", better="higher"),
    "accuracy": Figure("accuracy", better="higher"),
    "calibration_error": Figure("calibration error", better="lower"),
    "one_shots": Figure("one-shots"),
    "heard_before": Figure("taught on these makers (1 is yes)"),
}
