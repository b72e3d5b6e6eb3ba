"""What the numbers of the soloist are called, in which units, and which way is better."""

from models.music.figures import Figure

NATS = "nats a note"

FIGURES = {
    "loss": Figure("validation loss", NATS, better="lower"),
    "train_loss": Figure("training loss", NATS, better="lower"),
    "nats_a_note": Figure("surprise by tunes it never heard", NATS, better="lower"),
    "chord_gap_nats": Figure("more surprise over other chords", NATS, better="higher"),
    "bar_nats": Figure("of bar lines", NATS, better="lower"),
    "place_nats": Figure("of places", NATS, better="lower"),
    "pitch_nats": Figure("of pitches", NATS, better="lower"),
    "length_nats": Figure("of lengths", NATS, better="lower"),
    "style_nats": Figure("surprise by the style's own pieces", NATS, better="lower"),
    "style_gain": Figure("less surprise than without the style", "share", better="higher"),
}
