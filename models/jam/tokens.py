"""A piece as words, bar by bar, and words as notes again.

    sheet = Sheet(tempo_bpm=140, ticks_per_bar=3840, chords=sample.chords)
    text = spell(sheet, to_grid(lead.notes, 3840), bars=8)       # Text: a head, and each bar's words
    words = text.window(0, 8)                                    # int64[n]
    cells = cells_of(words)                                      # the notes again, exactly

A bar begins with the chords over it and with the one that the next bar begins with: they are told a bar ahead. The
users' form tells the band's own notes instead, before COND_SEP: spell(sheet, cells, bars, band=cells_of_the_band).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.jam import grid
from models.jam.grid import VELOCITIES, places_in_bar
from models.jam.vocabulary import (
    BAR,
    BEAT,
    CHORD,
    COND_SEP,
    EIGHTHS,
    LENGTH,
    NEXT,
    PITCH,
    PLACE,
    ROLE,
    SAID,
    STYLE,
    TEMPO,
    bar_number,
    tempo_number,
)
from models.music.chords import Chord, chord_number
from models.music.errors import BadInput
from models.music.notes import TICKS_PER_QUARTER

Words = NDArray[np.int64]
Cells = NDArray[np.int32]
NEARLY = 0.25
"""Quarters: a chord that begins so soon sounds already, and one that ends so soon no more."""


@dataclass(frozen=True)
class Sheet:
    """What a soloist reads before it plays."""

    tempo_bpm: float
    ticks_per_bar: int = 4 * TICKS_PER_QUARTER
    chords: tuple[tuple[float, Chord | None], ...] = ()
    """Each with the quarter at which it begins, in order."""
    style: int = 0
    """Which of the styles that it was taught by name; 0 for none in particular."""
    role: int = 0
    """Into vocabulary.ROLES."""

    def __post_init__(self) -> None:
        if not 1 <= self.places <= grid.MAX_PLACES:
            quarters = self.ticks_per_bar / TICKS_PER_QUARTER
            raise BadInput(
                f"a bar of {quarters:g} quarters; a soloist plays bars of at most 4, such as 4/4, 3/4 or 7/8."
            )

    @property
    def places(self) -> int:
        return places_in_bar(self.ticks_per_bar)

    def head(self) -> list[int]:
        return [ROLE(self.role), STYLE(self.style), TEMPO(tempo_number(self.tempo_bpm))]

    def line(self) -> int:
        """The word of a bar line."""
        return BAR(bar_number(self.places))

    def told(self, bar: int) -> list[int]:
        """The words that begin a bar: its chords, and the one after it."""
        begin, length = bar * self.quarters, self.quarters
        words = [self.line(), self._chord_word(begin)]
        first, last = (bisect_left(self._starts, at) for at in (begin + NEARLY, begin + length - NEARLY))
        for start, chord in self.chords[first:last]:
            word = CHORD(chord_number(chord))
            if word != words[-1]:
                words += [BEAT(min(EIGHTHS - 1, round(2 * (start - begin)))), word]
        return [*words, NEXT(), self._chord_word(begin + length)]

    def chord_at(self, quarter: float) -> Chord | None:
        """The chord over a moment, or the one that is about to begin."""
        place = bisect_left(self._starts, quarter + NEARLY) - 1
        return self.chords[place][1] if place >= 0 else None

    def _chord_word(self, quarter: float) -> int:
        return CHORD(chord_number(self.chord_at(quarter)))

    @property
    def quarters(self) -> float:
        """Of a bar."""
        return self.ticks_per_bar / TICKS_PER_QUARTER

    @cached_property
    def _starts(self) -> list[float]:
        return [start for start, _ in self.chords]


@dataclass(frozen=True)
class Text:
    """A piece in words; bars are cut out of it."""

    head: tuple[int, ...]
    bars: tuple[Words, ...]
    band: tuple[Words, ...] = ()
    """What the band plays, bar by bar, in the users' form."""

    def window(self, first: int, last: int) -> Words:
        """Words of the bars from `first` to before `last`."""
        before = [np.array(self.head), *self.band[first:last], np.array([COND_SEP()])]
        return np.concatenate([*before, *self.bars[first:last]]).astype(np.int64)

    def fitting(self, first: int, most: int) -> int:
        """The bar before which so many words from `first` on are full; at least one bar further."""
        lengths = np.array([len(bar) for bar in self.bars[first:]])
        if self.band:
            lengths = lengths + [len(bar) for bar in self.band[first:]]
        return first + max(1, int(np.searchsorted(lengths.cumsum() + len(self.head) + 1, most, side="right")))


def spell(sheet: Sheet, cells: Cells, last: int, band: Cells | None = None, first: int = 0) -> Text:
    """Say the bars of a line from `first` to before `last`, over a sheet or over the notes of a band."""
    bars = range(first, last)
    if band is None:
        told = (sheet.told(bar) for bar in bars)
        return Text(tuple(sheet.head()), tuple(map(_joined, told, _by_bar(cells, bars))))
    heard, said = (tuple(_joined([sheet.line()], words) for words in _by_bar(part, bars)) for part in (band, cells))
    return Text(tuple(sheet.head()), said, heard)


def words_of(cells: Cells) -> Words:
    """Say notes: three words each."""
    place = PLACE.first + cells[:, grid.PLACE] * len(VELOCITIES) + cells[:, grid.LOUD]
    words = [place, PITCH.first + cells[:, grid.TONE], LENGTH.first + cells[:, grid.LENGTH]]
    return np.stack(words, axis=1).reshape(-1).astype(np.int64)


def cells_of(words: Sequence[int] | Words) -> Cells:
    """Read the notes after the last COND_SEP; bars count from 0 there."""
    words = np.asarray(words, np.int64)
    separators = np.flatnonzero(words == COND_SEP())
    words = words[separators[-1] + 1 :] if len(separators) else words
    starts = np.flatnonzero((words >= PLACE.first) & (words < PLACE.first + PLACE.size))
    starts = starts[starts + 2 < len(words)]
    bars = np.cumsum((words >= BAR.first) & (words < BAR.first + BAR.size)) - 1
    place, loud = np.divmod(words[starts] - PLACE.first, len(VELOCITIES))
    tone, length = words[starts + 1] - PITCH.first, words[starts + 2] - LENGTH.first
    return np.stack([bars[starts], place, loud, tone, length], 1).astype(np.int32)


def said_of(words: Words) -> NDArray[np.bool_]:
    """Which words the soloist says itself: those of its own line, chords left out."""
    return SAID[words] & (np.cumsum(words == COND_SEP(), axis=-1) > 0)


def _by_bar(cells: Cells, bars: range) -> list[Words]:
    edges = np.searchsorted(cells[:, grid.BAR], np.arange(bars.start, bars.stop + 1))
    return [words_of(cells[begin:end]) for begin, end in pairwise(edges)]


def _joined(told: list[int], notes: Words) -> Words:
    return np.concatenate([np.array(told, np.int64), notes])
