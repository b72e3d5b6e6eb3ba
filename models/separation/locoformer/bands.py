"""Frequencies gathered into bands and spread out again.

    split = BandSplit(config)
    split.gather(spectrum)      # complex [b, m, t, f] -> [b, t, k, d]
    split.spread(x)             # [b, t, k, d] -> complex [b, s, m, t, f]

Bands of one size are computed together: 62 bands have seven sizes, so that a spectrogram costs a dozen products of
matrices instead of several hundred.
"""

from __future__ import annotations

import math
from itertools import groupby

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.music.errors import BadConfig
from models.separation.locoformer.config import LocoformerConfig

# b batch, s stems, m sides of the stereo picture, t frames, f frequencies, k bands, w frequencies of a band, d width


def band_sizes(config: LocoformerConfig) -> list[int]:
    """Say how many frequencies each band has; together they are n_fft / 2 + 1."""
    frequencies = config.n_fft // 2 + 1
    hz_each = config.rate_hz // 2 / frequencies
    sizes, low_hz = [], 0
    for high_hz, size in config.bands:
        sizes += [size] * math.ceil((high_hz - low_hz) / (size * hz_each))
        low_hz = high_hz
    rest, parts = frequencies - sum(sizes), 4 if config.rate_hz == 48_000 else 2
    if rest < parts:
        raise BadConfig(f"bands: {config.bands} leave {rest} of {frequencies} frequencies for the last {parts}.")
    return [*sizes, *[rest // parts] * (parts - 1), rest // parts + rest % parts]


class BandSplit(nn.Module):
    """The way in and the way out of bands; one that plays along norms nothing over time, and takes what is levelled."""

    def __init__(self, config: LocoformerConfig, over_time: bool = True) -> None:
        super().__init__()
        self.sizes = band_sizes(config)
        self.runs = [(size, len(list(run))) for size, run in groupby(self.sizes)]
        self.stems, self.channels = len(config.stems), config.channels
        parts, inner = 2 * config.channels, config.decoder * config.width
        self.gathering = nn.ModuleList(
            nn.Sequential(
                BandNorm(bands, parts * size) if over_time else nn.Identity(),
                BandLinear(bands, parts * size, config.width),
            )
            for size, bands in self.runs
        )
        count = len(self.sizes)
        self.opening = nn.Sequential(
            BandNorm(count, config.width, over_time),
            BandLinear(count, config.width, inner),
            nn.Tanh(),
            BandLinear(count, inner, inner),
        )
        self.spreading = nn.ModuleList(
            BandLinear(bands, inner, 2 * parts * self.stems * size) for size, bands in self.runs
        )

    def gather(self, spectrum: Tensor) -> Tensor:
        """complex [b, m, t, f] -> [b, t, k, d]"""
        real = torch.view_as_real(spectrum).permute(0, 2, 3, 4, 1)  # [b, t, f, re and im, m]
        found, low = [], 0
        for (size, bands), gathering in zip(self.runs, self.gathering, strict=True):
            run = real[:, :, low : low + size * bands]
            found.append(gathering(run.unflatten(2, (bands, size)).flatten(3)))
            low += size * bands
        return torch.cat(found, 2)

    def spread(self, x: Tensor) -> Tensor:
        """[b, t, k, d] -> complex [b, s, m, t, f]"""
        found, first = [], 0
        opened = self.opening(x)
        for (size, bands), spreading in zip(self.runs, self.spreading, strict=True):
            run = functional.glu(spreading(opened[:, :, first : first + bands]), -1)
            found.append(run.unflatten(-1, (2, self.stems, self.channels, size)))  # [b, t, k, 2, s, m, w]
            first += bands
        whole = torch.cat([run.permute(0, 4, 5, 1, 2, 6, 3).flatten(4, 5) for run in found], 4)
        return torch.view_as_complex(whole.to(torch.promote_types(whole.dtype, torch.float32)).contiguous())


class BandNorm(nn.Module):
    """Norm every band over its values, and over time or not; each has a scale and a shift for each of its values."""

    def __init__(self, bands: int, width: int, over_time: bool = True) -> None:
        super().__init__()
        self.axes = (1, 3) if over_time else (3,)
        self.weight, self.bias = nn.Parameter(torch.ones(bands, width)), nn.Parameter(torch.zeros(bands, width))

    def forward(self, x: Tensor) -> Tensor:
        """[b, t, k, d] -> [b, t, k, d]"""
        variance, mean = torch.var_mean(x, self.axes, correction=0, keepdim=True)
        return (x - mean) * torch.rsqrt(variance + 1e-5) * self.weight + self.bias


class BandLinear(nn.Module):
    """One matrix for each band."""

    def __init__(self, bands: int, width: int, out: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(bands, out, width)), nn.Parameter(torch.zeros(bands, out))
        for matrix in self.weight:
            nn.init.xavier_uniform_(matrix)

    def forward(self, x: Tensor) -> Tensor:
        """[b, t, k, d] -> [b, t, k, e]"""
        rows = x.flatten(0, 1).transpose(0, 1)  # [k, b·t, d]
        found = torch.baddbmm(self.bias[:, None], rows, self.weight.transpose(1, 2))
        return found.transpose(0, 1).unflatten(0, x.shape[:2])
