"""The network that plays along: the same samples whether it hears a song whole or block by block.

    network = Live(LIVE)
    network(mixture)                                    # [b, 2, t] -> [b, s, 2, t]: a song, its delay taken off
    state = network.begin()
    stems, state = network.hear(block, state)           # [1, 2, n hops] -> [1, s, 2, n hops], one hop late
    save_model(folder, network, network.config, KIND);  load_live(folder)

Both ways are one function: what a block leaves behind for the next one is its state, a few hundred kilobytes.
"""

from __future__ import annotations

import os
from dataclasses import astuple, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.learning.checkpoint import load_model
from models.separation.locoformer.bands import BandSplit
from models.separation.locoformer.blocks import Path, make_norm
from models.separation.locoformer.network import initialise
from models.separation.realtime.config import LiveConfig
from models.separation.realtime.windows import windows

# b batch, s stems, m sides of the stereo picture, t samples, n frames, f frequencies, k bands, d width
KIND = "separator_live"
SOFTEST = 1e-6
"""Power of a band that is not made louder."""


@dataclass(frozen=True)
class State:
    """What a stream remembers between two blocks."""

    heard: Tensor
    """[b, m, n_fft - hop]: the end of the mixture."""
    ringing: Tensor
    """[b, s, m, hop]: what the last frame adds to the next block."""
    level: Tensor
    """[b, k]: power that each band is measured by."""
    memories: Tensor
    """[blocks, b k, memory]"""

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in astuple(self))


class Live(nn.Module):
    """Blocks in, stems out."""

    analysis: Tensor
    synthesis: Tensor
    places: Tensor
    shares: Tensor

    def __init__(self, config: LiveConfig) -> None:
        super().__init__()
        self.config = config
        self.bands = BandSplit(config, over_time=False)
        self.blocks = nn.ModuleList(LiveBlock(config) for _ in range(config.blocks))
        initialise(self)
        for name, window in zip(("analysis", "synthesis"), windows(config.n_fft, config.hop), strict=True):
            self.register_buffer(name, window, persistent=False)
        sizes = torch.tensor(self.bands.sizes)
        self.register_buffer("places", torch.arange(len(sizes)).repeat_interleave(sizes), persistent=False)
        self.register_buffer("shares", functional.one_hot(self.places) / sizes, persistent=False)
        self.fall = 0.5 ** (config.hop / config.rate_hz / config.level_s)

    @property
    def stems(self) -> tuple[str, ...]:
        return self.config.stems

    def begin(self, batch: int = 1) -> State:
        """The state of streams that have heard nothing."""
        config, bands = self.config, len(self.bands.sizes)
        new = self.analysis.new_zeros
        return State(
            heard=new(batch, config.channels, config.n_fft - config.hop),
            ringing=new(batch, len(config.stems), config.channels, config.hop),
            level=new(batch, bands) + SOFTEST,
            memories=new(config.blocks, batch * bands, config.memory),
        )

    def forward(self, mixture: Tensor) -> Tensor:
        """[b, 2, t] -> [b, s, 2, t]"""
        hop, frames = self.config.hop, mixture.shape[-1]
        whole = functional.pad(mixture, (0, hop + -frames % hop))
        stems, _ = self.hear(whole, self.begin(len(mixture)))
        return stems[..., hop : hop + frames]

    def hear(self, mixture: Tensor, state: State) -> tuple[Tensor, State]:
        """Go on with [b, 2, n hops]: stems [b, s, 2, n hops], one hop behind, and the new state."""
        n_fft, hop = self.config.n_fft, self.config.hop
        heard = torch.cat([state.heard, mixture], -1)
        spectrum = torch.fft.rfft(heard.unfold(-1, n_fft, hop) * self.analysis)
        level = self.levels(spectrum, state.level)
        x, memories = self.bands.gather(self.levelled(spectrum, level)), []
        for block, memory in zip(self.blocks, state.memories, strict=True):
            x, kept = block(x, memory)
            memories.append(kept)
        answer = self.bands.spread(x) * spectrum[:, None]
        played = torch.fft.irfft(answer, n_fft)[..., -2 * hop :] * self.synthesis
        now, later = played.split(hop, -1)
        stems = now + torch.cat([state.ringing[..., None, :], later[..., :-1, :]], -2)
        left = State(heard[..., hop - n_fft :], later[..., -1, :], level[:, -1], torch.stack(memories))
        return stems.flatten(-2), left

    def levels(self, spectrum: Tensor, before: Tensor) -> Tensor:
        """complex [b, m, n, f], [b, k] -> [b, n, k]: each band's power at its peaks, falling slowly from one to the next."""
        power = torch.view_as_real(spectrum).square().sum((1, 4)) @ self.shares
        levels = []
        for now in power.unbind(1):
            before = torch.maximum(now, SOFTEST + self.fall * (before - SOFTEST))
            levels.append(before)
        return torch.stack(levels, 1)

    def levelled(self, spectrum: Tensor, level: Tensor) -> Tensor:
        """Divide by each band's level, and take the root of what magnitudes remain."""
        even = torch.view_as_real(spectrum / level.sqrt()[..., self.places][:, None])
        size = torch.linalg.vector_norm(even, dim=-1, keepdim=True)
        return torch.view_as_complex(even * (size + SOFTEST).rsqrt())


class LiveBlock(nn.Module):
    """Look along bands within a frame; then let each band remember."""

    def __init__(self, config: LiveConfig) -> None:
        super().__init__()
        self.along_bands, self.norm = Path(config), make_norm(config)
        self.memory = nn.GRU(config.width, config.memory, batch_first=True)
        self.recall = nn.Linear(config.memory, config.width)

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """[b, n, k, d], [b k, memory] -> the same"""
        x = self.along_bands(x)
        rows = self.norm(x).transpose(1, 2).flatten(0, 1)  # [b k, n, d]
        remembered, kept = self.memory(rows, memory[None].contiguous())
        return x + self.recall(remembered).unflatten(0, (len(x), -1)).transpose(1, 2), kept[0]


def load_live(folder: str | os.PathLike[str]) -> tuple[Live, dict[str, Any]]:
    """Return the network of a model folder, in evaluation mode, and the facts saved with it."""
    return load_model(folder, KIND, LiveConfig, Live)
