"""A trained counterfactual separator as an engine behind models.separation.stems.

    engine = CounterfactualEngine.load("counterfactual-model")
    engine.parts(pieces, middle, spread)            # [2 parts, c, t] after [2 parts, c, t]
    engine.sampled(Sampling(steps=50, seed=7)), replace(engine, reconstruction="literal")

The same seed gives the same samples, whole or in pieces: windows are heard in order, each with the next noise.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from models.learning.processes import own_device
from models.music.errors import BadInput
from models.separation.chunks import in_chunks
from models.separation.counterfactual.config import PARTS
from models.separation.counterfactual.network import Counterfactual, load_counterfactual
from models.separation.overlap import Samples, overlap_added
from models.separation.sampling import Sampling
from models.separation.stems import apart

SOFTEST = 1e-4
"""A song below this level (80 dB under full scale) is not made louder than by what this level needs."""


@dataclass(frozen=True)
class CounterfactualEngine:
    """A network, and how it samples."""

    network: Counterfactual
    steps: int = 0
    """0 takes the model's own final_steps."""
    seed: int = 0
    reconstruction: str = ""
    """Nothing takes the model's own."""

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> CounterfactualEngine:
        return cls(load_counterfactual(folder)[0].to(own_device()))

    def sampled(self, how: Sampling) -> CounterfactualEngine:
        """The same with other steps and dice; the fewer steps, the worse and quicker."""
        config = self.network.config
        if how.steps > config.timesteps:
            raise BadInput(f"steps is {how.steps}; this model has no more than {config.timesteps}. Give fewer.")
        return replace(self, steps=config.preview_steps if how.preview else how.steps, seed=how.seed)

    @property
    def stems(self) -> Sequence[str]:
        return PARTS

    @property
    def rate_hz(self) -> int:
        return self.network.config.rate_hz

    @property
    def channels(self) -> int:
        return 2

    @property
    def memory_mb(self) -> int:
        return 700

    def parts(self, song: Iterator[Samples], middle: float, spread: float) -> Iterator[Samples]:
        """Separate pieces [c, t] that follow one another into parts [s, c, t] that do, at the level it was taught at."""
        gain = np.float32(float(self.network.spectrogram.level) / max(spread, SOFTEST))
        hear, window = in_chunks(_Sampler(self), self.network.config.window), self.network.config.window
        for part in overlap_added((piece * gain for piece in song), hear, window):
            yield part / gain

    def separated(self, mixture: Samples) -> Samples:
        """Separate a song [c, t] whole: [s, c, t]."""
        return apart(mixture, self)


class _Sampler(nn.Module):
    """Hears window after window, each with fresh noise."""

    def __init__(self, engine: CounterfactualEngine) -> None:
        super().__init__()
        self.network, self.reconstruction = engine.network, engine.reconstruction or None
        self.steps = engine.steps or engine.network.config.final_steps
        self.dice = torch.Generator().manual_seed(engine.seed)

    def forward(self, mixture: Tensor) -> Tensor:
        return self.network.separate(mixture, self.steps, self.dice, self.reconstruction)
