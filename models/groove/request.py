"""What is asked of the groove model, checked once at the door. Plain numpy: the server's front and its tests share it.

request = GrooveRequest(take.notes, bars=take.bars, temperature=1.0, seed=7)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.groove.cues import MODES, Mode
from models.music.errors import BadInput
from models.music.notes import ONSET, as_notes

TICKS_PER_BAR = 3840
MAX_BARS = 256
MAX_HITS = 8192
MAX_TEMPERATURE = 4.0


@dataclass(frozen=True)
class GrooveRequest:
    """Drum hits to be played by a human, in 4/4 and in ticks: the tempo makes no difference."""

    hits: NDArray[np.int32]
    """int32[n, 4]: pitch (General MIDI), velocity, onset_ticks, duration_ticks; any order, and that order comes back."""
    bars: int
    """Bars of 4/4 that hold every hit."""
    mode: Mode = "humanise"
    """humanise: the same hits, played; vary: some hits change; tap: a rhythm becomes a whole kit."""
    temperature: float = 0.0
    """0 plays the middle of what people do, 1 as widely as they do."""
    seed: int = 0
    """The same seed, the same playing."""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise BadInput(f"mode is {self.mode!r}; give {', '.join(MODES)}.")
        if not 1 <= self.bars <= MAX_BARS:
            raise BadInput(f"bars is {self.bars}; give 1 to {MAX_BARS}, a longer take in parts.")
        if not 0.0 <= self.temperature <= MAX_TEMPERATURE:  # NaN fails too
            raise BadInput(f"temperature is {self.temperature:g}; give 0 to {MAX_TEMPERATURE:g} (try 1).")
        if not -(2**63) <= self.seed < 2**63:
            raise BadInput(f"seed is {self.seed}; it must fit 64 bits.")
        hits = np.asarray(self.hits)
        if len(hits) > MAX_HITS:
            raise BadInput(f"hits: {len(hits)} of them; at most {MAX_HITS}. Send the take in parts.")
        as_notes(hits)  # says what is wrong with a row
        hits = hits.reshape(-1, 4).astype(np.int32)
        if len(hits) and (last := int(hits[:, ONSET].max())) >= self.bars * TICKS_PER_BAR:
            bar = last // TICKS_PER_BAR + 1
            raise BadInput(f"hits: one begins at tick {last}, in bar {bar}, of {self.bars}; give bars={bar} or more.")
        hits.flags.writeable = False
        object.__setattr__(self, "hits", hits)
