"""The jam's grid: 24 places a quarter (MIDI clock), 4 velocities and 16 lengths, and the way there and back.

    cells = to_grid(take.notes, take.ticks_per_bar)       # int32[n, 5]: bar, place, velocity, pitch, length
    notes = from_grid(cells, take.ticks_per_bar)          # int32[n, 4] in ticks; to_grid(notes) gives the cells again
    symbols_of(cells, bars)                               # what a likelihood is counted over, bar lines included

A note is said as three symbols, in this order: place and velocity together, pitch, length; a bar line is one more
symbol before the notes of its bar. Whoever reports nats a note counts all of them and divides by the notes, so that two
models of a line can be compared whatever their tokens are called. A place never goes back within its bar.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.music.notes import DURATION, ONSET, PITCH, TICKS_PER_QUARTER, VELOCITY, as_notes

PLACES_PER_QUARTER = 24
TICKS_PER_PLACE = TICKS_PER_QUARTER // PLACES_PER_QUARTER
MAX_PLACES = 4 * PLACES_PER_QUARTER
"""Of a bar: it lasts at most four quarters."""
VELOCITIES = (40, 64, 88, 112)
LENGTHS = (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 36, 48, 72, 96, 144)
"""In places; a note takes the nearest by ratio."""
BAR, PLACE, LOUD, TONE, LENGTH = range(5)
"""Columns of cells; place counts from its bar's line, loud and length are indices, tone is a MIDI pitch."""
PLACE_SYMBOLS, PITCH_SYMBOLS, LENGTH_SYMBOLS = MAX_PLACES * len(VELOCITIES), 128, len(LENGTHS)
BAR_LINE = PLACE_SYMBOLS
"""The symbol that stands where a place could: a new bar begins."""
_VELOCITY_EDGES = [(low + high) / 2 for low, high in pairwise(VELOCITIES)]
_LENGTH_EDGES = [np.sqrt(low * high) for low, high in pairwise(LENGTHS)]


def to_grid(notes: ArrayLike, ticks_per_bar: int) -> NDArray[np.int32]:
    """Put notes [n, 4] on the grid: int32[m, 5] by bar, place and pitch; of notes that fall together the loudest stays."""
    table = as_notes(notes)
    at = (table[:, ONSET].astype(np.int64) + TICKS_PER_PLACE // 2) // TICKS_PER_PLACE
    bar, place = np.divmod(at, places_in_bar(ticks_per_bar))
    loud = np.searchsorted(_VELOCITY_EDGES, table[:, VELOCITY], side="right")
    length = np.searchsorted(_LENGTH_EDGES, table[:, DURATION] / TICKS_PER_PLACE, side="right")
    cells = np.stack([bar, place, loud, table[:, PITCH], length], axis=1).astype(np.int32)
    cells = cells[np.lexsort((-cells[:, LENGTH], -cells[:, LOUD], cells[:, TONE], cells[:, PLACE], cells[:, BAR]))]
    apart = np.ones(len(cells), bool)
    apart[1:] = (cells[1:, [BAR, PLACE, TONE]] != cells[:-1, [BAR, PLACE, TONE]]).any(1)
    return cells[apart]


def from_grid(cells: NDArray[np.int32], ticks_per_bar: int) -> NDArray[np.int32]:
    """Turn cells [m, 5] into notes [m, 4] in ticks."""
    cells = np.asarray(cells, np.int32).reshape(-1, 5)
    onset = cells[:, BAR] * ticks_per_bar + cells[:, PLACE] * TICKS_PER_PLACE
    velocity, length = np.array(VELOCITIES)[cells[:, LOUD]], np.array(LENGTHS)[cells[:, LENGTH]]
    return as_notes(np.stack([cells[:, TONE], velocity, onset, length * TICKS_PER_PLACE], axis=1))


def places_in_bar(ticks_per_bar: int) -> int:
    """Count the places of a bar: 96 in 4/4, 72 in 3/4, 84 in 7/8."""
    return ticks_per_bar // TICKS_PER_PLACE


def symbols_of(cells: NDArray[np.int32], bars: int) -> list[tuple[int, int, int] | int]:
    """Say cells as symbols: BAR_LINE before each of so many bars, and (place * 4 + velocity, pitch, length) for a note."""
    said: list[tuple[int, int, int] | int] = []
    notes = iter(cells.tolist())
    following = next(notes, None)
    for bar in range(bars):
        said.append(BAR_LINE)
        while following is not None and following[BAR] == bar:
            _, place, loud, tone, length = following
            said.append((place * len(VELOCITIES) + loud, tone, length))
            following = next(notes, None)
    return said
