"""What a number is called, its unit and which way is better: how the screen and the report speak of it.

    FIGURES = {"timing_mae_ms": Figure("timing error", "ms", better="lower")}   # a family's own, in its figures.py
    FIGURES["timing_mae_ms"].told(19.26)                    # "timing error 19.26 ms"
    FIGURES["timing_mae_ms"].verdict(19.26, beside=20.63)   # "better"
    Figure("one-shots").told(1145)                          # "1145 one-shots": what is counted comes after its number
    Figure("songs").told(["a/one.wav", "two.wav"])          # "2 songs: one.wav, two.wav"

A number that nobody declared is called by its key: `figure({}, "hits_heard")` is `Figure("hits heard")`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

LISTED = 3
"""So many members of a list are named."""
LONGEST = 60
"""Characters of a text that are shown."""


@dataclass(frozen=True)
class Figure:
    """How one number is spoken of."""

    name: str
    unit: str = ""
    better: Literal["lower", "higher"] | float | None = None
    """Which way is better; a number is the best value, so that nearer to it is better; None says neither."""

    def told(self, value: Any) -> str:
        """Say a value with its name and unit; what is counted comes after its number."""
        if isinstance(value, list | tuple) and self.name:
            return f"{self._counted(str(len(value)))}: {spoken(value)}"
        if self._counts(value):
            return self._counted(spoken(value))
        return " ".join(filter(None, [self.name, spoken(value), self.unit]))

    def verdict(self, value: float, beside: float) -> Literal["better", "worse", "equal", ""]:
        """Compare a value with another, as far as both can be read; "" where neither way is better."""
        if self.better is None or math.isnan(beside):
            return ""
        if spoken(value) == spoken(beside):
            return "equal"
        return "better" if self.worse_by(value, beside) < 0 else "worse"

    def worse_by(self, value: float, beside: float) -> float:
        """How far a value is on the wrong side of another, in its own unit; lower is better where nothing is said."""
        return self._cost(value) - self._cost(beside)

    @property
    def direction(self) -> str:
        """Which way is better, in words."""
        if self.better is None:
            return ""
        return f"{self.better} is better" if isinstance(self.better, str) else f"nearer {spoken(self.better)} is better"

    def _cost(self, value: float) -> float:
        if isinstance(self.better, float | int):
            return abs(value - self.better)
        return -value if self.better == "higher" else value

    def _counts(self, value: Any) -> bool:
        plural = self.name.endswith("s") and not self.name.endswith("ss")
        return plural and not self.unit and self.better is None and _is_whole(value)

    def _counted(self, count: str) -> str:
        return f"{count} {self.name.removesuffix('s') if count == '1' else self.name}"


def figure(known: Mapping[str, Figure], key: str) -> Figure:
    """Find what is known of a number, or call it by its key."""
    return known.get(key) or Figure(key.replace("_", " "))


def spoken(value: Any) -> str:
    """Say any value as a person would: whole numbers whole, four digits of others, lists and tables in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        whole = _is_whole(value) or abs(value) >= 1000
        return f"{value:.0f}" if whole else f"{value:.{4 if abs(value) >= 1 else 3}g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {spoken(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        names = [spoken(inner).rpartition("/")[2] for inner in value]
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        return ", ".join(names[:LISTED]) + more
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()
