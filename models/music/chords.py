"""Chord symbols as a root and one of eight kinds, read from names and heard in notes.

chord = Chord.parse("F#m7b5")              # Chord(root=6, kind="half-diminished")
chord.pitch_classes                        # (6, 9, 0, 4)
heard = recognise([60, 64, 67, 70])        # Chord.parse("C7")
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from models.music.errors import BadInput

NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
INTERVALS: dict[str, tuple[int, ...]] = {
    "major": (0, 4, 7),
    "minor": (0, 3, 7),
    "dominant": (0, 4, 7, 10),
    "major-seventh": (0, 4, 7, 11),
    "minor-seventh": (0, 3, 7, 10),
    "half-diminished": (0, 3, 6, 10),
    "diminished": (0, 3, 6, 9),
    "suspended": (0, 5, 7, 10),
}
KINDS = tuple(INTERVALS)
NUMBERS = 1 + 12 * len(KINDS)
_SUFFIX = ("", "m", "7", "maj7", "m7", "m7b5", "dim7", "7sus4")
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SYMBOL = re.compile(r"([A-G])([#b♯♭]?)([^/]*)(?:/([A-G][#b♯♭]?))?")
_EXTENDED = re.compile(r"(?<!6)(7|9|11|13|seventh|ninth)")
# Weights of the root, third, fifth and seventh when a chord is heard, and of a low note that may be its bass.
_WEIGHTS = (1.0, 1.1, 0.7, 1.0)
_BASS_BONUS, _STRANGER = 0.5, 0.6
_BASS_BELOW = 45


@dataclass(frozen=True)
class Chord:
    """A root (0 = C … 11 = B) and a kind of KINDS."""

    root: int
    kind: str

    def __post_init__(self) -> None:
        if not 0 <= self.root < 12 or self.kind not in INTERVALS:
            raise BadInput(f"chord ({self.root}, {self.kind!r}): give a root 0 to 11 and one of {', '.join(KINDS)}.")

    def __str__(self) -> str:
        return NAMES[self.root] + _SUFFIX[KINDS.index(self.kind)]

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        return tuple((self.root + interval) % 12 for interval in INTERVALS[self.kind])

    @staticmethod
    def parse(symbol: str) -> Chord:
        """Read a chord symbol; extensions fall to the nearest of the eight kinds, a slash bass is left out."""
        match = _SYMBOL.fullmatch(symbol.strip().replace("Δ", "maj").replace("ø", "m7b5").replace("°", "dim"))
        if not match:
            raise BadInput(f"chord {symbol!r}: not a chord symbol; write one such as C, Am7, F#m7b5 or Bb7sus4.")
        letter, accidental, suffix, _ = match.groups()
        root = (_LETTERS[letter] + {"#": 1, "♯": 1, "b": -1, "♭": -1}.get(accidental, 0)) % 12
        return Chord(root, _kind_of(suffix))


EVERY = tuple(Chord(root, kind) for root in range(12) for kind in KINDS)


def chord_number(chord: Chord | None) -> int:
    """Number a chord from 1 on, 12 roots of 8 kinds; 0 where none is known."""
    return 0 if chord is None else 1 + chord.root * len(KINDS) + KINDS.index(chord.kind)


def chord_of(number: int) -> Chord | None:
    """Return the chord of a number, or None for 0."""
    if not 0 <= number < NUMBERS:
        raise BadInput(f"chord number {number}; give 0 for none, or 1 to {NUMBERS - 1}.")
    return None if number == 0 else Chord((number - 1) // len(KINDS), KINDS[(number - 1) % len(KINDS)])


def recognise(pitches: Iterable[int]) -> Chord | None:
    """Name the chord that a set of sounding pitches fits best; None without at least two pitch classes."""
    sounding = sorted(set(pitches))
    present = {pitch % 12 for pitch in sounding}
    if len(present) < 2:
        return None
    scores = {chord: fit(chord, sounding) for chord in EVERY}
    return max(scores, key=scores.__getitem__)


def fit(chord: Chord, pitches: Collection[int]) -> float:
    """How well a chord fits what sounds: its tones that are there, less those missing and the strangers."""
    lowest, present = min(pitches), {pitch % 12 for pitch in pitches}
    bonus = _BASS_BONUS * (2 if lowest < _BASS_BELOW else 1)
    tones = chord.pitch_classes
    heard = sum(w if tone in present else -w / 2 for w, tone in zip(_WEIGHTS, tones, strict=False))
    return heard - _STRANGER * len(present.difference(tones)) + bonus * (lowest % 12 == chord.root)


def _kind_of(suffix: str) -> str:
    text = suffix.replace("(", "").replace(")", "").replace("-", "m" if suffix.startswith("-") else "b")
    text = re.sub(r"^(min|mi)(?!x)", "m", text)
    if "sus" in text:
        return "suspended"
    if re.search(r"m7?b5|m7\(b5\)|hdim", text):
        return "half-diminished"
    if re.match(r"(dim|o)", text):
        return "diminished"
    if re.match(r"m(?!aj)", text):
        return "minor-seventh" if _EXTENDED.search(text) else "minor"
    if re.search(r"maj|M7|M9|j7", text):
        return "major-seventh" if _EXTENDED.search(text) else "major"
    return "dominant" if _EXTENDED.search(text) and "add" not in text else "major"
