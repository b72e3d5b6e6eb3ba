"""One request on its way through the network: hits to cells, cells to windows, and back to hits.

playing = Playing(request, latent=24, together=0.5)
playing.cells, playing.dice           # what is known, and the throws, a cell of the take each
playing.score = ...                   # which cells sound: as asked, or composed
playing.played = ...                  # what the network made of them
rows = playing.rows()                 # int32[n, 4]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.groove.dials import EARLIEST_TICKS, LATEST_TICKS, move_within_cells
from models.groove.encoding import (
    GM,
    HITS,
    N_DRUMS,
    OFFSETS,
    OPEN_HAT,
    STEPS_PER_BAR,
    VELOCITIES,
    WIDTH,
    Array,
    drums_of,
    loudest_per_cell,
    nearest_steps,
)
from models.groove.request import GrooveRequest
from models.groove.sequences import positions_of_ticks
from models.music.grid import TICKS_PER_STEP
from models.music.notes import ONSET, PITCH, VELOCITY

WINDOW_BARS = 2
WINDOW = WINDOW_BARS * STEPS_PER_BAR
FADE = np.minimum(np.arange(1, WINDOW + 1), np.arange(WINDOW, 0, -1))[:, None].astype(np.float64)
MOST_DROPPED = 0.8


@dataclass(frozen=True)
class Dice:
    """Everything random about one playing, thrown at once from the request's seed."""

    character: Array
    """Normal [latent]: whose hands these are."""
    strikes: Array
    """Uniform [T, 9]: whether a drum sounds."""
    velocities: Array
    """Normal [T, 9]."""
    offsets: Array
    """Normal [T, 9]; the drums of a step share a part: a drummer is late with both hands."""
    drops: Array
    """Uniform [T, 9]: which hits a variation lets go."""

    @classmethod
    def thrown(cls, seed: int, steps: int, latent: int, together: float) -> Dice:
        generator = np.random.default_rng(seed % 2**64)
        character, strikes = generator.standard_normal(latent), generator.random((steps, N_DRUMS))
        velocities, own = generator.standard_normal((2, steps, N_DRUMS))
        shared = generator.standard_normal((steps, 1))
        offsets = np.sqrt(together) * shared + np.sqrt(1 - together) * own
        return cls(character, strikes, velocities, offsets, generator.random((steps, N_DRUMS)))


class Playing:
    """A request, its cells, and what became of them."""

    def __init__(self, request: GrooveRequest, latent: int, together: float) -> None:
        self.request, rows = request, request.hits
        positions = positions_of_ticks(rows[:, ONSET])
        self.steps = nearest_steps(positions)
        self.drums = drums_of(rows[:, PITCH], GM)
        if request.mode == "tap":
            self.drums = np.full_like(self.drums, OPEN_HAT)  # a rhythm may be tapped on anything
        length = max(WINDOW, request.bars * STEPS_PER_BAR, int(self.steps.max(initial=0)) + 1)
        best = loudest_per_cell(self.steps, self.drums, rows[:, VELOCITY])
        where = self.steps[best], self.drums[best]
        self.leader_of = np.full((length, N_DRUMS), -1, np.int64)
        self.leader_of[where] = best
        cells = np.zeros((length, 3, N_DRUMS))
        cells[where[0], 0, where[1]] = 1.0
        cells[where[0], 1, where[1]] = rows[best, VELOCITY] / 127.0
        cells[where[0], 2, where[1]] = 2.0 * (where[0] - positions[best])
        self.cells: Array = cells.reshape(length, WIDTH)
        self.dice = Dice.thrown(request.seed, length, latent, together)
        self.z: Array = np.zeros(latent)
        self.score: Array = self.cells[:, HITS]
        self.played: Array = self.cells

    def kept(self) -> Array:
        """Return the cells that a variation keeps for certain: the warmer, the fewer, and quiet ones go first."""
        share = min(MOST_DROPPED, 0.5 * self.request.temperature)
        chance = share * np.maximum(0.2, 1.0 - self.cells[:, VELOCITIES])
        return self.cells * np.tile(self.dice.drops >= chance, 3)

    def rows(self) -> NDArray[np.int32]:
        """Return the hits as played: the given ones in their order, then those that were added, by step."""
        rows = self.request.hits
        known = self.drums >= 0
        leaders = np.where(known, self.leader_of[self.steps, self.drums], -1)
        lean_ticks = -0.5 * TICKS_PER_STEP * self.played[:, OFFSETS]
        loudness = 127.0 * self.played[:, VELOCITIES]
        at = self.steps, np.maximum(0, self.drums)
        shift = self.steps * TICKS_PER_STEP + lean_ticks[at] - rows[:, ONSET]
        moved = move_within_cells(rows, leaders, shift, loudness[at])
        if self.request.mode == "humanise":
            return moved
        tap = self.request.mode == "tap"
        stays = ~known | (self.score[at] > 0.5) & (not tap)
        asked = np.arange(len(self.score))[:, None] < self.request.bars * STEPS_PER_BAR  # a window may reach further
        step, drum = np.nonzero(asked & (self.score > 0.5) & (tap | (self.leader_of < 0)))
        lean = np.clip(np.round(lean_ticks[step, drum]), EARLIEST_TICKS, LATEST_TICKS)
        onset = np.maximum(0, step * TICKS_PER_STEP + lean)
        velocity = np.clip(np.round(loudness[step, drum]), 1, 127)
        pitch = np.array([members[0] for members in GM])[drum]
        added = np.stack([pitch, velocity, onset, np.full(len(step), TICKS_PER_STEP)], axis=1)
        return np.concatenate([moved[stays], added.astype(np.int32)])


def cut(table: Array, hop_bars: int) -> Array:
    """Cut [T, k] into windows [n, 32, k] that cover all of it; the last one is filled up with silence."""
    hop = hop_bars * STEPS_PER_BAR
    count = 1 + -(-(len(table) - WINDOW) // hop)
    silence = np.zeros(((count - 1) * hop + WINDOW - len(table), table.shape[1]))
    whole = np.concatenate([table, silence])
    return np.stack([whole[begin : begin + WINDOW] for begin in range(0, count * hop, hop)])


def faded(windows: Array, length: int, hop_bars: int = 1) -> Array:
    """Lay windows [n, 32, k] over each other again, each fading in and out: [length, k]."""
    hop = hop_bars * STEPS_PER_BAR
    total = np.zeros(((len(windows) - 1) * hop + WINDOW, windows.shape[-1]))
    weight = np.zeros((len(total), 1))
    for index, window in enumerate(windows):
        place = slice(index * hop, index * hop + WINDOW)
        total[place] += FADE * window
        weight[place] += FADE
    return (total / weight)[:length]
