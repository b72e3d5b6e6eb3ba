"""From ticks to the grid and back, at a soloist's door: what a player asks for becomes a cue, and cells become notes.

asked = Asked(start_ticks=0, horizon_ticks=7680, chords=((0, Chord.parse("Am7")),), tempo_bpm=140)
for notes in play(reader, repertoire, asked): ...          # int32[1, 4], each as soon as it is sampled
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.jam.chords import Chords, hear_chords
from models.jam.decode import Reader
from models.jam.grid import TICKS_PER_PLACE, from_grid, to_grid
from models.jam.improvise import Cue, improvise, never
from models.jam.repertoire import Repertoire
from models.jam.sampling import Taste
from models.jam.tokens import Sheet
from models.music.chords import Chord
from models.music.errors import BadInput
from models.music.notes import DURATION, ONSET, TICKS_PER_QUARTER, as_notes

Notes = NDArray[np.int32]
HEARD_BARS = 32
"""Of the band, before the solo begins: what is older tells nothing any more."""
NOTHING = np.zeros((0, 4), np.int32)


@dataclass(frozen=True)
class Asked:
    """A solo as a player asks for it, in ticks from the beginning of the piece."""

    start_ticks: int
    horizon_ticks: int
    tempo_bpm: float
    meter: tuple[int, int] = (4, 4)
    chords: tuple[tuple[int, Chord | None], ...] = ()
    """Each with the tick at which it begins."""
    band: Notes = field(default_factory=lambda: NOTHING)
    """What the band plays: chords are heard in it where none are given."""
    line: Notes = field(default_factory=lambda: NOTHING)
    """What the soloist has played."""
    style: int = 0
    """Its place among the repertoire's names."""
    taste: Taste = field(default_factory=Taste)
    seed: int = 0
    most_words: int = 0
    """At most so many words of what was played are read; 0 for all that fit."""

    def __post_init__(self) -> None:
        top, bottom = self.meter
        if not 1 <= top <= 32 or bottom not in (1, 2, 4, 8, 16, 32):
            raise BadInput(f"jam: meter is {top}/{bottom}; give one such as 4/4, 3/4 or 7/8.")

    @property
    def ticks_per_bar(self) -> int:
        return self.meter[0] * 4 * TICKS_PER_QUARTER // self.meter[1]

    def heard(self) -> Chords:
        """The chords as told, or as heard in the band."""
        if self.chords or not len(self.band):
            told = {tick / TICKS_PER_QUARTER: chord for tick, chord in self.chords}
            return tuple(sorted(told.items(), key=lambda each: each[0]))
        band, begin = as_notes(self.band), self._heard_from()
        band = band[(band[:, ONSET] >= begin) & (band[:, ONSET] < self.start_ticks + self.horizon_ticks)]
        near = band - np.array([0, 0, begin, 0], np.int32)
        near[:, DURATION] = np.minimum(near[:, DURATION], self.ticks_per_bar)
        return tuple((at + begin / TICKS_PER_QUARTER, chord) for at, chord in hear_chords(near, self.ticks_per_bar))

    def _heard_from(self) -> int:
        return max(0, self.start_ticks // self.ticks_per_bar - HEARD_BARS) * self.ticks_per_bar


def play(reader: Reader, repertoire: Repertoire, asked: Asked, stopped: Callable[[], bool] = never) -> Iterator[Notes]:
    """Play what was asked for until it is stopped, a note at a time: int32[1, 4]."""
    cue, per_bar = cue_of(asked, repertoire), asked.ticks_per_bar
    for cell in improvise(reader, cue, stopped):
        yield from_grid(np.array([cell], np.int32), per_bar)


def cue_of(asked: Asked, repertoire: Repertoire) -> Cue:
    """Put on the grid what was asked for, in the form that the network was taught."""
    by_chords, per_bar = repertoire.config.form == "chords", asked.ticks_per_bar
    word = repertoire.word_of(asked.style)
    sheet = Sheet(asked.tempo_bpm, per_bar, asked.heard() if by_chords or asked.taste.chord_bias else (), word)
    start = -(-asked.start_ticks // TICKS_PER_PLACE)
    return Cue(
        sheet,
        start,
        max(start + 1, (asked.start_ticks + asked.horizon_ticks) // TICKS_PER_PLACE),
        line=to_grid(asked.line, per_bar),
        band=None if by_chords else to_grid(asked.band, per_bar),
        taste=asked.taste,
        seed=asked.seed,
        most_words=asked.most_words,
    )
