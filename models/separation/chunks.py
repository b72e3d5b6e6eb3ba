"""A song through a network that hears a few seconds at once, as many as it heard while it was taught.

stems = separated(network, mixture, frames=132_300)                     # float32[c, t] -> [s, c, t]
for part in overlap_added(pieces, in_chunks(network, 132_300), 132_300): ...
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from models.separation.overlap import Hear, Samples, overlap_added

# b batch, s stems, c channels, t samples


def in_chunks(network: nn.Module, frames: int) -> Hear:
    """Let a network [b, c, t] -> [b, s, c, t] hear windows of so many samples; what is missing at the end is silent."""
    device = next(network.parameters()).device

    @torch.inference_mode()
    def hear(around: Samples, start: int) -> Samples:
        window = torch.from_numpy(np.ascontiguousarray(around[:, start : start + frames], np.float32)).to(device)
        whole = functional.pad(window, (0, frames - window.shape[-1]))
        return network(whole[None])[0, ..., : window.shape[-1]].float().cpu().numpy()

    return hear


def separated(network: nn.Module, mixture: Samples, frames: int) -> Samples:
    """Separate a song [c, t] whole: [s, c, t]."""
    return np.concatenate(list(overlap_added(iter([mixture]), in_chunks(network, frames), frames)), -1)
