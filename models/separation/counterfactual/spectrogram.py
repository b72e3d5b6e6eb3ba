"""Sounds as maps that a network can imagine, and back: roots of magnitudes, each frequency in a scale of its own.

    spectrogram = Spectrogram(LAPTOP);  spectrogram.measure(mixtures)      # once, on the training songs
    spectrum = spectrogram.spectrum(sound)                                 # complex [b, c, f + 1, n]
    image = spectrogram.image(spectrum.abs())                              # [b, c, f, n], about -1 to 3
    spectrogram.magnitude(image)                                           # the inverse

The constants are kept with the weights: a passage looks the same whatever else is in its window. The highest frequency
is left out, so that a map can be halved, and takes its neighbour's magnitude on the way back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from models.separation.counterfactual.config import CounterfactualConfig

# b batch, c channels, t samples, f frequencies, n frames
NARROWEST = 1e-2
"""A frequency that is hardly ever heard is not blown up to more than a hundred times."""


class Spectrogram(nn.Module):
    """A transform, and the constants that were measured."""

    level: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(self, config: CounterfactualConfig) -> None:
        super().__init__()
        self.n_fft, self.hop = config.n_fft, config.hop
        self.register_buffer("level", torch.tensor(0.1))
        self.register_buffer("mean", torch.zeros(self.n_fft // 2, 1))
        self.register_buffer("deviation", torch.ones(self.n_fft // 2, 1))

    @torch.no_grad()
    def measure(self, mixtures: Iterable[Tensor]) -> None:
        """Take the usual loudness of mixtures [b, c, t], and each frequency's usual root and deviation from it."""
        heard = list(mixtures)
        roots = torch.cat([self.spectrum(sound).abs()[..., :-1, :].sqrt().flatten(0, 1) for sound in heard])
        self.level.copy_(torch.cat([sound.mean(1).std(-1) for sound in heard]).mean())
        self.mean.copy_(roots.mean((0, 2))[:, None])
        self.deviation.copy_(roots.transpose(0, 1).flatten(1).std(1)[:, None].clamp_min(NARROWEST))

    def image(self, magnitude: Tensor) -> Tensor:
        """[b, c, f + 1, n] -> [b, c, f, n]"""
        return (magnitude[..., :-1, :].sqrt() - self.mean) / self.deviation

    def magnitude(self, image: Tensor) -> Tensor:
        """[b, c, f, n] -> [b, c, f + 1, n]"""
        magnitude = (image * self.deviation + self.mean).clamp_min(0).square()
        return torch.cat([magnitude, magnitude[..., -1:, :]], -2)

    def spectrum(self, sound: Tensor) -> Tensor:
        """[b, c, t] -> complex [b, c, f + 1, n]"""
        return torch.stft(sound.flatten(0, 1), **self._transform(), return_complex=True).unflatten(0, sound.shape[:2])

    def sound(self, spectrum: Tensor, length: int) -> Tensor:
        """complex [b, c, f + 1, n] -> [b, c, t]"""
        return torch.istft(spectrum.flatten(0, 1), **self._transform(), length=length).unflatten(0, spectrum.shape[:2])

    def _transform(self) -> dict[str, Any]:
        return {
            "n_fft": self.n_fft,
            "hop_length": self.hop,
            "window": torch.hann_window(self.n_fft, device=self.mean.device),
        }
