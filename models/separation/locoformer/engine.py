"""A trained Locoformer as an engine behind models.separation.stems.

LocoformerEngine.load("separator-model").parts(pieces, middle, spread)      # [s, c, t] after [s, c, t]
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.learning.processes import own_device
from models.separation.chunks import in_chunks
from models.separation.locoformer.bands import band_sizes
from models.separation.locoformer.network import Locoformer, load_locoformer
from models.separation.overlap import Samples, overlap_added

TORCH_MB = 350


@dataclass(frozen=True)
class LocoformerEngine:
    """A network and what it hears at once."""

    network: Locoformer

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> LocoformerEngine:
        return cls(load_locoformer(folder)[0].to(own_device()))

    @property
    def stems(self) -> Sequence[str]:
        return self.network.stems

    @property
    def rate_hz(self) -> int:
        return self.network.config.rate_hz

    @property
    def channels(self) -> int:
        return 2

    @property
    def memory_mb(self) -> int:
        """torch, the weights, and the widest thing that a window becomes: both halves of a feed-forward, in four copies."""
        config = self.network.config
        places = len(band_sizes(config)) if config.variant == "band" else config.n_fft // 2 + 1
        widest = 2 * max(config.hidden) * places * (self.window // config.hop + 1)
        weights = sum(weight.numel() for weight in self.network.parameters())
        return TORCH_MB + round(4 * (2 * weights + 4 * widest) / 1e6)

    @property
    def window(self) -> int:
        """Samples that are heard at once."""
        return round(self.network.config.segment_s * self.rate_hz)

    def parts(self, song: Iterator[Samples], middle: float, spread: float) -> Iterator[Samples]:
        """Separate pieces [c, t] that follow one another into parts [s, c, t] that do; each window finds its own level."""
        return overlap_added(song, in_chunks(self.network, self.window), self.window)
