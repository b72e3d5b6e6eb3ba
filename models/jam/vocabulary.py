"""The words of the jam: what a soloist is told, and what it says. 681 of them, each kind a range of its own.

    PLACE(5 * 4 + 2), PITCH(60), LENGTH(10)      # a note: where and how loud, what, how long; place first, so that a
                                                 # note can sound after two words (models/jam/grid.py)
    BAR(8)                                       # a bar of eight eighths begins
    CHORD(chord_number(Chord(9, "minor")))       # follows a BAR, a BEAT or NEXT; CHORD(0): nobody knows
    BEAT(4), NEXT()                              # the chord changes at the fourth eighth; and after the bar line
    ROLE(0), STYLE(3), TEMPO(7), COND_SEP()      # the head of everything
    DEGREE(12 + 4), STEP(FARTHEST_STEP - 2)      # beside a pitch, never said: a major chord's third, two semitones down

A word's transposition is another word: TRANSPOSED[shift][words].
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from models.jam.grid import BAR_LINE, LENGTH_SYMBOLS, PITCH_SYMBOLS, PLACES_PER_QUARTER
from models.music.chords import KINDS, NUMBERS

ROLES = ("lead", "bass", "comping", "drums")
"""Only the first is taught; the others have their words for later."""
STYLE_WORDS, TEMPI = 16, 16
"""The first style is any; one that was not taught with the base rides on it as a LoRA and has no word (repertoire.py)."""
EIGHTHS = 8
"""In the longest bar."""
PLACES_PER_EIGHTH = PLACES_PER_QUARTER // 2
FARTHEST_STEP = 24
"""Semitones from a pitch to the next that are told apart, up or down."""
FARTHEST = 6
"""Semitones that words can be transposed, up or down."""
SLOWEST_BPM, TEMPI_PER_OCTAVE = 40.0, 5


@dataclass(frozen=True)
class Kind:
    """A range of words; called with a number it gives the word."""

    first: int
    size: int

    def __call__(self, number: int = 0) -> int:
        return self.first + number

    def __contains__(self, word: int) -> bool:
        return self.first <= word < self.first + self.size

    @property
    def words(self) -> slice:
        return slice(self.first, self.first + self.size)


def _kinds(*sizes: int) -> list[Kind]:
    firsts = np.cumsum([0, *sizes])
    return [Kind(int(first), size) for first, size in zip(firsts, sizes, strict=False)]


_TOLD = (1, 1, 1, len(ROLES), STYLE_WORDS, TEMPI, EIGHTHS + 1, EIGHTHS, NUMBERS)
_SAID = (LENGTH_SYMBOLS, PITCH_SYMBOLS, BAR_LINE)
_BESIDE = (12 * (1 + len(KINDS)), 2 * FARTHEST_STEP + 1)
PAD, COND_SEP, NEXT, ROLE, STYLE, TEMPO, BAR, BEAT, CHORD, LENGTH, PITCH, PLACE, DEGREE, STEP = _kinds(
    *_TOLD, *_SAID, *_BESIDE
)
SIZE = sum(_TOLD + _SAID)
"""Words that are told or said."""
TABLE = SIZE + sum(_BESIDE)
"""The same, and those that stand beside a pitch (models/jam/harmony.py)."""


def tempo_number(tempo_bpm: float) -> int:
    """Five classes an octave from 40 bpm on."""
    return min(TEMPI - 1, max(0, round(math.log2(tempo_bpm / SLOWEST_BPM) * TEMPI_PER_OCTAVE)))


def bar_number(places: int) -> int:
    """Eighths of a bar, a started one too."""
    return -(-places // PLACES_PER_EIGHTH)


def _transposed(semitones: int) -> np.ndarray:
    """Every word, so many semitones higher; a pitch that would leave the keyboard comes from an octave nearer."""
    words = np.arange(SIZE)
    pitches = np.arange(PITCH.size) + semitones
    words[PITCH.words] = PITCH.first + np.where(
        pitches < 0, pitches + 12, np.where(pitches > 127, pitches - 12, pitches)
    )
    roots, kinds = np.divmod(np.arange(NUMBERS - 1), len(KINDS))
    words[CHORD.first + 1 : CHORD.first + NUMBERS] = CHORD.first + 1 + (roots + semitones) % 12 * len(KINDS) + kinds
    return words


TRANSPOSED = {shift: _transposed(shift) for shift in range(-FARTHEST, FARTHEST + 1)}
SAID = np.zeros(SIZE, bool)
"""What a soloist says itself, once it has heard the rest; all other words are told."""
for _kind in (BAR, PLACE, PITCH, LENGTH):
    SAID[_kind.words] = True
