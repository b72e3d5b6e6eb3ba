"""GrooVAE's cells: nine drums on a grid of sixteenths, each with a hit, a velocity and an offset.

    cells = to_cells(pitches, velocities, positions, ROLAND)     # float64[T, 27], T whole bars of 16 steps
    for window in windows(cells, bars=2): ...                    # float64[32, 27]
    model_input = humanised(window)                              # the score alone: velocities and offsets removed
    notes = from_cells(cells)                                    # pitch, velocity, start and end in seconds at 120 bpm

A step's 27 columns are [hits 9 | velocities 9 | offsets 9]. An offset is in half steps, -1 to 1, and POSITIVE WHEN EARLY.
Plain numpy in float64: the server and the training set share it, and neither needs note_seq. Positions are in steps,
counted from the beginning; models/groove/sequences.py knows how to make them from files and NoteSequences.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]
"""float64 in this module; what a network takes and gives is float32."""

DRUMS = ("kick", "snare", "closed hat", "open hat", "low tom", "mid tom", "high tom", "crash", "ride")
CLOSED_HAT, OPEN_HAT = 2, 3
N_DRUMS = len(DRUMS)
WIDTH = 3 * N_DRUMS
STEPS_PER_BAR = 16
HITS, VELOCITIES, OFFSETS = slice(0, 9), slice(9, 18), slice(18, 27)

PitchTable = tuple[tuple[int, ...], ...]
ROLAND: PitchTable = (
    (36,),
    (38, 37, 40),
    (42, 22, 44),
    (46, 26),
    (43, 58),
    (47, 45),
    (50, 48),
    (49, 52, 55, 57),
    (51, 53, 59),
)
"""The Roland TD-11's pitches, for the training data; a drum is written with its first pitch."""
GM: PitchTable = (
    (36, 35),
    (38, 27, 28, 31, 32, 33, 34, 37, 39, 40, 56, 65, 66, 75, 85),
    (42, 44, 54, 68, 69, 70, 71, 73, 78, 80, 22),
    (46, 67, 72, 74, 79, 81, 26),
    (45, 29, 41, 43, 61, 64, 84),
    (48, 47, 60, 63, 77, 86, 87),
    (50, 30, 62, 76, 83),
    (49, 52, 55, 57, 58),
    (51, 53, 59, 82),
)
"""General MIDI's pitches, for what users play. It differs from ROLAND on 45, 48 and 58."""


def drums_of(pitches: ArrayLike, table: PitchTable = GM) -> NDArray[np.int64]:
    """Return each pitch's drum class, 0 to 8, or -1 where the table has none."""
    lookup = np.full(128, -1, np.int64)
    for drum, members in enumerate(table):
        lookup[list(members)] = drum
    return lookup[np.asarray(pitches, np.int64)]


def nearest_steps(positions: ArrayLike) -> NDArray[np.int64]:
    """Return the nearest step of each position; halfway goes to the later one."""
    return np.floor(np.asarray(positions, np.float64) + 0.5).astype(np.int64)


def loudest_per_cell(steps: NDArray[np.int64], drums: NDArray[np.int64], velocities: ArrayLike) -> NDArray[np.int64]:
    """Return the rows that speak for their (step, drum) cell: the loudest, the first of equals. Drum -1 has no cell."""
    rows = np.flatnonzero(drums >= 0)
    loudness = np.asarray(velocities)[rows]
    order = rows[np.lexsort((rows, -loudness, drums[rows], steps[rows]))]
    cell = steps[order] * N_DRUMS + drums[order]
    return order[np.diff(cell, prepend=-1) != 0] if len(order) else order


def to_cells(pitches: ArrayLike, velocities: ArrayLike, positions: ArrayLike, table: PitchTable = ROLAND) -> Array:
    """Put notes on the grid: float64[T, 27], T padded to whole bars; no mapped note gives T = 0.

    A note that belongs to a step before the first has no cell.
    """
    positions, velocities = np.asarray(positions, np.float64), np.asarray(velocities, np.float64)
    drums, steps = drums_of(pitches, table), nearest_steps(positions)
    best = loudest_per_cell(steps, np.where(steps < 0, -1, drums), velocities)
    bars = -(-(int(steps[best].max()) + 1) // STEPS_PER_BAR) if len(best) else 0
    cells = np.zeros((bars * STEPS_PER_BAR, 3, N_DRUMS))
    cells[steps[best], 0, drums[best]] = 1.0
    cells[steps[best], 1, drums[best]] = velocities[best] / 127.0
    cells[steps[best], 2, drums[best]] = 2.0 * (steps[best] - positions[best])
    return cells.reshape(-1, WIDTH)


def from_cells(cells: ArrayLike, table: PitchTable = ROLAND, tempo_bpm: float = 120.0) -> Array:
    """Read notes off the grid: float64[n, 4] of pitch, velocity, start and end in seconds, by step, then drum.

    An early note on step 0 starts before 0; whoever writes a file decides what to do about it.
    """
    cells = np.asarray(cells, np.float64)
    step, drum = np.nonzero(cells[:, HITS] > 0.5)
    step_seconds = 60.0 / tempo_bpm / 4
    velocity = np.clip(np.round(cells[:, VELOCITIES][step, drum] * 127.0), 0, 127)
    start = (step - np.clip(cells[:, OFFSETS][step, drum] / 2, -0.5, 0.5)) * step_seconds
    pitch = np.array([members[0] for members in table], np.float64)[drum]
    return np.stack([pitch, velocity, start, start + step_seconds], axis=1)


def windows(cells: Array, bars: int | None = 2, hop_bars: int | None = None) -> Array:
    """Cut [T, 27] into [n, bars * 16, 27]; an incomplete tail is dropped. bars=None gives all of it as one window."""
    length = len(cells) if bars is None else bars * STEPS_PER_BAR
    hop = length if hop_bars is None else hop_bars * STEPS_PER_BAR
    if length == 0 or len(cells) < length:
        return np.zeros((0, length, cells.shape[-1]))
    starts = range(0, len(cells) - length + 1, hop)
    return np.stack([cells[start : start + length] for start in starts])


def padded(cells: Array, bars: int) -> Array:
    """Lengthen [T, 27] with empty steps to at least so many bars."""
    missing = max(0, bars * STEPS_PER_BAR - len(cells))
    return np.concatenate([cells, np.zeros((missing, cells.shape[-1]))])


# What a model hears: each returns a new array of the same shape, [..., 27]. # ------------------------------------


def humanised(cells: Array) -> Array:
    """Keep the score alone: velocities and offsets become 0."""
    return np.concatenate([cells[..., HITS], np.zeros_like(cells[..., 9:])], axis=-1)


def with_fixed_velocities(cells: Array) -> Array:
    """Forget how loud: velocities become 0."""
    heard = cells.copy()
    heard[..., VELOCITIES] = 0.0
    return heard


def tapped(cells: Array) -> Array:
    """Hear one finger: each step's loudest drum, moved to the open hat; the rest is silent."""
    loudest = cells[..., VELOCITIES].argmax(-1)[..., None]
    heard = np.zeros_like(cells)
    for part in (HITS, VELOCITIES, OFFSETS):
        heard[..., part.start + OPEN_HAT] = np.take_along_axis(cells[..., part], loudest, -1)[..., 0]
    return heard


def without(cells: Array, drums: Iterable[int] = (CLOSED_HAT,)) -> Array:
    """Silence some drums, for a model that learns to add them."""
    heard = cells.copy()
    for drum in drums:
        heard[..., drum::N_DRUMS] = 0.0
    return heard


def hits_of(cells: Array) -> NDArray[np.bool_]:
    """Return which cells are struck, bool[..., 9]: the controls of the score-preserving model."""
    return cells[..., HITS] > 0.5


def with_notes_dropped(cells: Array, generator: np.random.Generator, most: float = 0.8) -> Array:
    """Drop notes from windows [n, T, 27]: each window's share is uniform up to most, and quiet notes go first."""
    share = generator.uniform(0.0, most, size=(len(cells), 1, 1))
    chance = share * np.maximum(0.2, 1.0 - cells[..., VELOCITIES])
    kept = generator.random(chance.shape) >= chance
    return cells * np.concatenate([kept] * 3, axis=-1)
