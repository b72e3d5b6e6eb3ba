"""The separator that comes with Jamflow, and when it stands in for one that is not here.

separator, spoken = at_hand("htdemucs", "drums")    # "htdemucs: … so the starter separator (…) plays …"
"""

from __future__ import annotations

from pathlib import Path

from models.music.files import read_mapping
from models.separation.stems import DEMUCS, SEPARATOR, Separator, load_separator
from models.separation.weights import NotHere

STARTER = Path(__file__).with_name("starter")
"""What `separator` names."""


def at_hand(model: str, *stems: str) -> tuple[Separator, str]:
    """Load who plays and say how good it is: the model, or the starter where the default's weights cannot be had."""
    try:
        return load_separator(model, *stems), _starter_spoken() if model == SEPARATOR else model
    except NotHere as error:
        if model != DEMUCS:
            raise
        spoken = f"{error.trouble}, so {_starter_spoken()} plays instead; with a network, once more with --no-cache"
        return load_separator(SEPARATOR, *stems), spoken


def _starter_spoken() -> str:
    judged = read_mapping(STARTER / "config.json")["facts"]["judged"]
    figures = ", ".join(f"{stem} {db:.1f}" for stem, db in judged["usdr"].items())
    return f"the starter separator ({judged['on']}: uSDR {figures} dB)"
