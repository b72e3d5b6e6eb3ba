"""A long look back, a short answer: windows of spectra of which only the end is played (Mauler and Martin, 2007).

    analysis, synthesis = windows(2048, 512)         # [2048], and [1024] for the last two hops

Their product is a Hann window of two hops, so that answers added hop by hop give back what was heard.
"""

from __future__ import annotations

import torch
from torch import Tensor


def windows(n_fft: int, hop: int) -> tuple[Tensor, Tensor]:
    """Make the window that a spectrum is taken with, and the one that its last two hops are played with."""
    past, played = _hann(2 * (n_fft - hop)), _hann(2 * hop)
    analysis = torch.cat([past[: n_fft - hop], played[hop:]]).sqrt()
    return analysis.float(), (played / analysis[-2 * hop :]).float()


def _hann(length: int) -> Tensor:
    """Half a sample aside, so that it is nowhere nothing."""
    return torch.sin(torch.pi * (torch.arange(length, dtype=torch.float64) + 0.5) / length).square()
