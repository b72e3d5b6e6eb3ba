"""A song without its singer, imagined; and the vocals that follow from it.

    network = Counterfactual(LAPTOP)
    band = network.imagine(spectrum, steps=20, generator=generator)     # complex [b, 2, f, n] -> its magnitude
    parts = network.separate(mixture, steps=20, generator=generator)    # [b, 2, t] -> [b, 2 parts, 2, t]

Vocals and instrumental add up to the mixture, whatever was imagined.
"""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import Tensor, nn

from models.learning.checkpoint import load_model
from models.separation.counterfactual.config import CounterfactualConfig
from models.separation.counterfactual.diffusion import Diffusion
from models.separation.counterfactual.reconstruction import RECONSTRUCTIONS
from models.separation.counterfactual.spectrogram import Spectrogram
from models.separation.counterfactual.unet import UNet

# b batch, c channels, t samples, f frequencies, n frames
KIND = "counterfactual"


class Counterfactual(nn.Module):
    """The U-Net, the scales of what it sees, and how it is asked."""

    def __init__(self, config: CounterfactualConfig) -> None:
        super().__init__()
        self.config, self.diffusion = config, Diffusion(config)
        self.spectrogram, self.unet = Spectrogram(config), UNet(config)

    def forward(self, noisy: Tensor, mixture: Tensor, time: Tensor) -> Tensor:
        """Images [b, 2, f, n] and times [b] -> the image of the instrumental that the network believes in."""
        answer = self.unet(noisy, mixture, time)
        if self.config.predicts == "x0":
            answer = mixture + answer  # it begins by believing that nobody sings
        return self.diffusion.clean(noisy, time, answer)

    @torch.no_grad()
    def imagine(self, spectrum: Tensor, steps: int, generator: torch.Generator) -> Tensor:
        """Complex [b, 2, f, n] -> magnitude [b, 2, f, n] of the instrumental."""
        mixture = self.spectrogram.image(spectrum.abs())
        noise = torch.randn(mixture.shape, generator=generator).to(mixture)
        image = self.diffusion.sample(
            lambda noisy, time: self(noisy, mixture, time), noise, steps, self.config.eta, generator
        )
        return self.spectrogram.magnitude(image)

    @torch.no_grad()
    def separate(
        self, mixture: Tensor, steps: int, generator: torch.Generator, reconstruction: str | None = None
    ) -> Tensor:
        """[b, 2, t] -> [b, 2 parts, 2, t]: vocals, and the rest of the mixture."""
        spectrum = self.spectrogram.spectrum(mixture)
        return self.parts_of(mixture, spectrum, self.imagine(spectrum, steps, generator), reconstruction)

    def parts_of(
        self, mixture: Tensor, spectrum: Tensor, instrumental: Tensor, reconstruction: str | None = None
    ) -> Tensor:
        """Reconstruct both parts [b, 2 parts, 2, t] from a mixture and the magnitude of its instrumental."""
        sung = RECONSTRUCTIONS[reconstruction or self.config.reconstruction](spectrum, instrumental)
        vocals = self.spectrogram.sound(sung, mixture.shape[-1])
        return torch.stack([vocals, mixture - vocals], 1)


def load_counterfactual(folder: str | os.PathLike[str]) -> tuple[Counterfactual, dict[str, Any]]:
    """Return the network of a model folder, in evaluation mode, and the facts saved with it."""
    return load_model(folder, KIND, CounterfactualConfig, Counterfactual)
