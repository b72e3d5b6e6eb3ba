"""Open-Unmix (Stöter et al. 2019), to compare with: a bidirectional LSTM over magnitudes for each stem.

network = OpenUnmix(("drums", "bass", "other", "vocals"), hidden=64)
network(mixture)        # [b, 2, t] -> [b, s, 2, t]: masked magnitudes with the mixture's phases
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

# b batch, s stems, c channels, t samples, f frequencies, n frames
N_FFT, HOP = 4096, 1024
HEARD = 1487
"""Frequencies below 16 kHz."""


class OpenUnmix(nn.Module):
    """One network for each stem, side by side."""

    def __init__(self, stems: tuple[str, ...], hidden: int) -> None:
        super().__init__()
        self.targets = nn.ModuleList(Target(hidden) for _ in stems)

    @torch.no_grad()
    def get_used_to(self, mixtures: Tensor) -> None:
        """Learn the mean and the deviation of each frequency from mixtures [b, 2, t], as the published training begins."""
        magnitudes = spectrum_of(mixtures).abs()[:, :, :HEARD]
        deviation, mean = torch.std_mean(magnitudes, (0, 1, 3))
        for target in self.targets:
            assert isinstance(target, Target)
            target.shift.copy_(-mean)
            target.scale.copy_(1 / deviation.clamp_min(1e-4 * deviation.max()))

    def forward(self, mixture: Tensor) -> Tensor:
        """[b, 2, t] -> [b, s, 2, t]"""
        spectrum = spectrum_of(mixture)
        masks = torch.stack([target(spectrum.abs()) for target in self.targets], 1)
        masked = (masks * spectrum[:, None]).flatten(0, 2)
        window = torch.hann_window(N_FFT, device=mixture.device)
        sound = torch.istft(masked, N_FFT, HOP, window=window, length=mixture.shape[-1])
        return sound.unflatten(0, (len(mixture), len(self.targets), 2))


def spectrum_of(mixture: Tensor) -> Tensor:
    """[b, 2, t] -> complex [b, 2, f, n]"""
    window = torch.hann_window(N_FFT, device=mixture.device)
    spectrum = torch.stft(mixture.flatten(0, 1), N_FFT, HOP, window=window, return_complex=True)
    return spectrum.unflatten(0, mixture.shape[:2])


class Target(nn.Module):
    """The published network of one stem, up to its mask."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.shift, self.scale = nn.Parameter(torch.zeros(HEARD)), nn.Parameter(torch.ones(HEARD))
        self.squeeze = nn.Sequential(nn.Linear(2 * HEARD, hidden, bias=False), Norm(hidden), nn.Tanh())
        self.lstm = nn.LSTM(hidden, hidden // 2, num_layers=3, bidirectional=True, batch_first=True, dropout=0.4)
        self.spread = nn.Sequential(
            nn.Linear(2 * hidden, hidden, bias=False),
            Norm(hidden),
            nn.ReLU(),
            nn.Linear(hidden, 2 * (N_FFT // 2 + 1), bias=False),
            Norm(2 * (N_FFT // 2 + 1)),
        )
        self.out_scale, self.out_shift = (nn.Parameter(torch.ones(N_FFT // 2 + 1)) for _ in range(2))

    def forward(self, magnitudes: Tensor) -> Tensor:
        """[b, 2, f, n] -> masks [b, 2, f, n]"""
        heard = ((magnitudes[:, :, :HEARD] + self.shift[:, None]) * self.scale[:, None]).permute(0, 3, 1, 2).flatten(2)
        squeezed = self.squeeze(heard)
        found = self.spread(torch.cat([squeezed, self.lstm(squeezed)[0]], -1))
        mask = found.unflatten(-1, (2, -1)) * self.out_scale + self.out_shift
        return mask.relu().permute(0, 2, 3, 1)


class Norm(nn.BatchNorm1d):
    """Batch norm of [b, n, d] over b and n."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.flatten(0, 1)).view_as(input)


def of_size(stems: tuple[str, ...], parameters: int) -> OpenUnmix:
    """The network whose parameters come nearest to so many."""
    counts = {hidden: _count(stems, hidden) for hidden in range(8, 1025, 2)}
    return OpenUnmix(stems, min(counts, key=lambda hidden: abs(counts[hidden] - parameters)))


def _count(stems: tuple[str, ...], hidden: int) -> int:
    with torch.device("meta"):
        return sum(weight.numel() for weight in OpenUnmix(stems, hidden).parameters())
