"""The bar as a grid of sixteenths: steps, ticks and seconds.

grid = Grid(tempo_bpm=96, bars=4)
grid.tick_of(bar=1, step=4)          # 4800
grid.nearest_step(4850)              # 20: steps counted from the beginning
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.music.errors import BadConfig
from models.music.notes import MAX_TEMPO_BPM, MIN_TEMPO_BPM, TICKS_PER_QUARTER

STEPS_PER_QUARTER = 4
TICKS_PER_STEP = TICKS_PER_QUARTER // STEPS_PER_QUARTER


@dataclass(frozen=True)
class Grid:
    """Bars of sixteenths at one tempo and one meter."""

    tempo_bpm: float
    bars: int
    meter: tuple[int, int] = (4, 4)

    def __post_init__(self) -> None:
        if not MIN_TEMPO_BPM <= self.tempo_bpm <= MAX_TEMPO_BPM:
            raise BadConfig(f"bpm is {self.tempo_bpm:g}; give {MIN_TEMPO_BPM:g} to {MAX_TEMPO_BPM:g} (try 96).")
        if not 1 <= self.bars <= 4096:
            raise BadConfig(f"bars is {self.bars}; give 1 to 4096 (try 4).")
        top, bottom = self.meter
        if bottom not in (1, 2, 4, 8, 16) or not 1 <= top <= 64:
            raise BadConfig(f"meter is {top}/{bottom}; give one such as 4/4 or 6/8.")

    @property
    def steps_per_bar(self) -> int:
        return self.meter[0] * 16 // self.meter[1]

    @property
    def ticks_per_bar(self) -> int:
        return self.steps_per_bar * TICKS_PER_STEP

    @property
    def step_seconds(self) -> float:
        return 60.0 / self.tempo_bpm / STEPS_PER_QUARTER

    @property
    def bar_seconds(self) -> float:
        return self.steps_per_bar * self.step_seconds

    def tick_of(self, bar: int, step: int) -> int:
        return bar * self.ticks_per_bar + step * TICKS_PER_STEP

    def nearest_step(self, ticks: ArrayLike) -> NDArray[np.int64]:
        """Count steps from the beginning; halfway goes to the later one."""
        return (np.asarray(ticks, np.int64) + TICKS_PER_STEP // 2) // TICKS_PER_STEP
