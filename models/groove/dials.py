"""How much of a human: two dials from 0 to 1, and a groove taken from one performance and given to another.

    rows = blend(original, human, timing=0.5, velocity=1.0)     # both int32[n, 4], row for row the same hits
    groove = extract_groove(my_own_playing)                     # what each drum does on each sixteenth of the bar
    played = apply_groove(groove, programmed_beat, timing=0.8, velocity=0.3)

Neither adds or removes a note, and no note leaves its sixteenth. Plain numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.groove.encoding import GM, N_DRUMS, STEPS_PER_BAR, Array, drums_of, nearest_steps
from models.groove.sequences import four_four, positions_of_ticks
from models.music.errors import BadInput
from models.music.grid import TICKS_PER_STEP
from models.music.notes import ONSET, PITCH, VELOCITY, Take

EARLIEST_TICKS, LATEST_TICKS = -(TICKS_PER_STEP // 2), TICKS_PER_STEP // 2 - 1
"""From its step, where a note still belongs to it."""


def blend(
    original: NDArray[np.int32], human: NDArray[np.int32], timing: float = 1.0, velocity: float = 1.0
) -> NDArray[np.int32]:
    """Go from the original's onsets and velocities towards the human's: 0 stays, 1 arrives."""
    for name, dial in (("timing", timing), ("velocity", velocity)):
        if not 0.0 <= dial <= 1.0:
            raise BadInput(f"{name} is {dial:g}; give 0 (as written) to 1 (as played).")
    if original.shape != human.shape:
        raise BadInput(f"blend: {len(original)} notes and {len(human)}; both must be the same hits, row for row.")
    rows = original.copy()
    for column, dial in ((ONSET, timing), (VELOCITY, velocity)):
        way = human[:, column].astype(np.float64) - original[:, column]
        rows[:, column] = np.round(original[:, column] + dial * way)
    return rows


def move_within_cells(
    rows: NDArray[np.int32], leaders: NDArray[np.int64], shift_ticks: NDArray[np.float64], loudness: Array
) -> NDArray[np.int32]:
    """Give each note its leader's shift and its share of the leader's new velocity; a leader speaks for its cell.

    leaders int64[n] is the row that leads each row (itself, when alone); -1 stays as it is. shift_ticks and loudness
    (0 to 127) belong to the leaders and are read at their rows. A flam keeps its spacing while its cell has room.
    """
    moved, led = rows.copy(), np.flatnonzero(leaders >= 0)
    leader, onset = leaders[led], rows[led, ONSET].astype(np.int64)
    grid = nearest_steps(positions_of_ticks(rows[leader, ONSET])) * TICKS_PER_STEP
    lowest, highest = np.full(len(rows), -(2**40)), np.full(len(rows), 2**40)
    np.maximum.at(lowest, leader, np.maximum(0, grid + EARLIEST_TICKS) - onset)
    np.minimum.at(highest, leader, grid + LATEST_TICKS - onset)
    shift = np.clip(np.round(shift_ticks), lowest, highest)[leader]
    moved[led, ONSET] = onset + shift.astype(np.int64)
    scaled = rows[led, VELOCITY] * loudness[leader] / rows[leader, VELOCITY]
    moved[led, VELOCITY] = np.clip(np.round(scaled), 1, 127)
    return moved


@dataclass(frozen=True)
class Groove:
    """A template: where each drum sits and how loud it is, on each sixteenth of one bar or several."""

    lean_ticks: NDArray[np.float64]
    """[steps, 9]: distance from the grid, positive when late; NaN where nothing was played."""
    velocities: NDArray[np.float64]
    """[steps, 9]; NaN where nothing was played."""

    @property
    def bars(self) -> int:
        return len(self.velocities) // STEPS_PER_BAR


def extract_groove(take: Take, bars: int = 1) -> Groove:
    """Average a performance over every repetition of so many bars."""
    four_four(take)
    if not 1 <= bars <= 16:
        raise BadInput(f"bars is {bars}; a groove has 1 to 16.")
    steps = nearest_steps(positions_of_ticks(take.notes[:, ONSET]))
    drums = drums_of(take.notes[:, PITCH], GM)
    known = drums >= 0
    if not known.any():
        raise BadInput(f"{take.label}: {len(take)} notes, none on a drum of the kit; give a drum performance.")
    shape = (bars * STEPS_PER_BAR, N_DRUMS)
    cell = (steps[known] % shape[0], drums[known])
    count, lean, loud = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    np.add.at(count, cell, 1)
    np.add.at(lean, cell, take.notes[known, ONSET] - steps[known] * TICKS_PER_STEP)
    np.add.at(loud, cell, take.notes[known, VELOCITY])
    played = np.where(count > 0, count, np.nan)
    return Groove(lean / played, loud / played)


def apply_groove(groove: Groove, take: Take, timing: float = 1.0, velocity: float = 1.0) -> Take:
    """Play a take with another's groove. Where that drum is silent there, the step's other drums set the time;
    where the whole step is, the note stays in time, and its velocity as it is."""
    four_four(take)
    rows = take.notes
    steps, drums = nearest_steps(positions_of_ticks(rows[:, ONSET])), drums_of(rows[:, PITCH], GM)
    place = steps % len(groove.velocities)
    lean = np.where(np.isnan(groove.lean_ticks), _mean(groove.lean_ticks)[:, None], groove.lean_ticks)[place, drums]
    loud = groove.velocities[place, drums]
    human = rows.copy()
    onset = steps * TICKS_PER_STEP + np.clip(np.round(lean), EARLIEST_TICKS, LATEST_TICKS)
    human[:, ONSET] = np.where((drums < 0) | np.isnan(lean), rows[:, ONSET], np.maximum(0, np.nan_to_num(onset)))
    human[:, VELOCITY] = np.where(
        (drums < 0) | np.isnan(loud), rows[:, VELOCITY], np.clip(np.nan_to_num(loud), 1, 127).round()
    )
    return take.with_notes(blend(rows, human, timing, velocity))


def _mean(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average each row over what is there; NaN where nothing is."""
    there = ~np.isnan(table)
    return np.where(there.any(1), np.nansum(table, 1) / np.maximum(1, there.sum(1)), np.nan)
