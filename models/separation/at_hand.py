"""The separator that comes with Jamflow, and when it stands in for one that is not here.

model, spoken = at_hand("htdemucs")         # ("separator", "htdemucs: … so the starter separator (…) plays …")
load_separator(model, "drums")
"""

from __future__ import annotations

from pathlib import Path

from models.music.files import read_mapping
from models.separation.stems import DEMUCS, SEPARATOR
from models.separation.weights import NotHere, find_bag

STARTER = Path(__file__).with_name("starter")
"""What `separator` names."""


def at_hand(model: str) -> tuple[str, str]:
    """Say who plays and how good it is: the model, or the starter where the default's weights cannot be had."""
    if model == DEMUCS:
        try:
            find_bag(model)
        except NotHere as error:
            return (
                SEPARATOR,
                f"{error.trouble}, so {_starter_spoken()} plays instead; with a network, once more with --no-cache",
            )
    return model, _starter_spoken() if model == SEPARATOR else model


def _starter_spoken() -> str:
    judged = read_mapping(STARTER / "config.json")["facts"]["judged"]
    figures = ", ".join(f"{stem} {db:.1f}" for stem, db in judged["usdr"].items())
    return f"the starter separator ({judged['on']}: uSDR {figures} dB)"
