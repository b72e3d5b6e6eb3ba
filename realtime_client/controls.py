"""What a musician may turn while the session plays, checked once for the page, the assistant and whoever comes next.

control("temperature", 1.1)        # Control(name="temperature", value=1.1), or BadConfig with what it may be
"""

from __future__ import annotations

import math

from models.music.errors import BadConfig
from realtime_client.messages import Control
from realtime_client.settings import CLOCKS, RANGES

NUMBERS = {
    "temperature": RANGES["temperature"],
    "top_p": RANGES["top_p"],
    "chord_bias": RANGES["chord_bias"],
    "lookahead_bars": RANGES["lookahead_bars"],
    "tempo": RANGES["tempo_bpm"],
    "offset_ms": RANGES["offset_ms"],
    "seed": (0, 2**31 - 1),
}
CHOICES = {"clock": CLOCKS, "fl": ("start", "stop", "record"), "record": ("on", "off")}
"""`fl` is FL Studio's own transport; `record` begins and ends a recording."""
TRIGGERS = ("start", "stop", "panic", "tap")
LONGEST_STYLE = 64


def control(name: str, value: object = "") -> Control:
    """Make a control of what somebody turned."""
    if name in TRIGGERS:
        return Control(name)
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise BadConfig(f"{name} is {value!r}; give one of {', '.join(CHOICES[name])}.")
        return Control(name, str(value))
    if name in NUMBERS:
        return Control(name, _number(name, value))
    if name == "style":
        if not isinstance(value, str) or len(value) > LONGEST_STYLE or not value.isprintable():
            raise BadConfig(f"style is {value!r}; give a style's name, or nothing for any.")
        return Control(name, value)
    raise BadConfig(f"{name!r} is no control; there are {', '.join((*TRIGGERS, *CHOICES, *NUMBERS, 'style'))}.")


def _number(name: str, value: object) -> float:
    low, high = NUMBERS[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadConfig(f"{name} is {value!r}; give a number from {low:g} to {high:g}.")
    if not low <= value <= high:
        raise BadConfig(f"{name} is {value:g}; give {low:g} to {high:g}.")
    return float(value)
