"""What the numbers of the soloist are called, in which units, and which way is better."""

from models.music.figures import Figure

NATS = "nats a note"

PLAYED = {
    "chord_tones": Figure("chord tones", "of notes"),
    "chord_tones_strong": Figure("chord tones on strong beats", "of notes"),
    "repetition": Figure("four pitches again", "of all"),
    "density": Figure("notes", "a bar"),
    "dead_air": Figure("dead air", "of intervals", better="lower"),
    "silence": Figure("silence", "of time"),
    "gaps_a_minute": Figure("gaps", "a minute"),
    "swing": Figure("swing", "long : short"),
    "late_ms": Figure("behind the beat", "ms"),
    "late_sd_ms": Figure("spread about the beat", "ms"),
    "silence_distance": Figure("silence, from people at the same tempo", "of time", better="lower"),
    "gaps_distance": Figure("gaps, from people at the same tempo", "a minute", better="lower"),
    "pitch_js": Figure("degrees of the key, divergence from people", "bits", better="lower"),
    "interval_js": Figure("steps, divergence from people", "bits", better="lower"),
    "nll": Figure("surprise", NATS, better="lower"),
}
"""Those of one line, those of a player beside people, and what a player gives to people's own lines."""
FIGURES = PLAYED | {
    "loss": Figure("validation loss", NATS, better="lower"),
    "train_loss": Figure("training loss", NATS, better="lower"),
    "chord_gap_nats": Figure("more surprise over other chords", NATS, better="higher"),
    "bar_nats": Figure("of bar lines", NATS, better="lower"),
    "place_nats": Figure("of places", NATS, better="lower"),
    "pitch_nats": Figure("of pitches", NATS, better="lower"),
    "length_nats": Figure("of lengths", NATS, better="lower"),
    "style_nats": Figure("surprise by the style's own pieces", NATS, better="lower"),
    "style_gain": Figure("less surprise than without the style", "share", better="higher"),
}
