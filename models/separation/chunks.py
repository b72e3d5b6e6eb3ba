"""A whole song through a network that hears a few seconds at once: chunks that overlap and are faded into one another.

    stems = separated(network, mixture, chunk=132_300)          # [c, t] -> [s, c, t]

A network that gives back what it hears gives back the song.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

OVERLAP = 0.25


@torch.inference_mode()
def separated(network: Callable[[Tensor], Tensor], mixture: Tensor, chunk: int, overlap: float = OVERLAP) -> Tensor:
    """[c, t] -> [s, c, t], with a network from [1, c, chunk] to [1, s, c, chunk]."""
    frames, stride = mixture.shape[-1], max(1, round(chunk * (1 - overlap)))
    faded_in = torch.linspace(0, 1, chunk - stride + 2, device=mixture.device)[1:-1]
    fade = torch.ones(chunk, device=mixture.device)
    fade[: len(faded_in)], fade[chunk - len(faded_in) :] = faded_in, faded_in.flip(0)
    total, weight = None, torch.zeros(frames, device=mixture.device)
    for start in range(0, max(1, frames - (chunk - stride)), stride):
        heard = mixture[:, start : start + chunk]
        found = network(functional.pad(heard, (0, chunk - heard.shape[-1]))[None])[0, ..., : heard.shape[-1]]
        total = torch.zeros(*found.shape[:-1], frames, device=mixture.device) if total is None else total
        total[..., start : start + chunk] += fade[: heard.shape[-1]] * found
        weight[start : start + chunk] += fade[: heard.shape[-1]]
    assert total is not None
    return total / weight
