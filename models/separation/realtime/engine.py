"""A separator that plays along, as an engine behind models.separation.stems: its song has an end, and no delay is left.

LiveEngine.load("live-model").parts(pieces, middle, spread)         # [s, c, t] after [s, c, t]
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from models.learning.processes import own_device
from models.separation.overlap import Samples
from models.separation.realtime.network import Live, State, load_live

TORCH_MB = 350
AT_ONCE = 64
"""Hops that are heard at once: the more, the faster and the wider."""


@dataclass(frozen=True)
class LiveEngine:
    """A network."""

    network: Live

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> LiveEngine:
        return cls(load_live(folder)[0].to(own_device()))

    @property
    def stems(self) -> Sequence[str]:
        return self.network.stems

    @property
    def rate_hz(self) -> int:
        return self.network.config.rate_hz

    @property
    def channels(self) -> int:
        return self.network.config.channels

    @property
    def memory_mb(self) -> int:
        """torch, and what the frames that are heard at once become: masks and spectra of each stem, in four copies."""
        config = self.network.config
        return TORCH_MB + round(4 * 4 * AT_ONCE * config.n_fft * config.channels * 2 * len(config.stems) / 1e6)

    def parts(self, song: Iterator[Samples], middle: float, spread: float) -> Iterator[Samples]:
        """Separate pieces [c, t] that follow one another into parts [s, c, t] that do."""
        hop, state, late = self.network.config.hop, self.network.begin(), self.network.config.delay_samples
        held = np.zeros((self.channels, 0), np.float32)
        for piece in song:
            held = np.concatenate([held, piece], axis=1)
            while held.shape[1] >= AT_ONCE * hop:
                found, state = self.hear(held[:, : AT_ONCE * hop], state)
                held = held[:, AT_ONCE * hop :]
                yield found[..., late:]
                late = 0
        frames = held.shape[1]
        silence = np.zeros((self.channels, hop + -frames % hop), np.float32)
        found, _ = self.hear(np.concatenate([held, silence], axis=1), state)
        yield found[..., late : hop + frames]

    @torch.inference_mode()
    def hear(self, block: Samples, state: State) -> tuple[Samples, State]:
        """Go on with a block [c, n hops]: its stems [s, c, n hops], and the new state."""
        device = self.network.analysis.device
        found, state = self.network.hear(torch.from_numpy(np.ascontiguousarray(block))[None].to(device), state)
        return found[0].float().cpu().numpy(), state
