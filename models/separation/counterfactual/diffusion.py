"""From an image to noise and back: the forward process, and DDPM and DDIM sampling.

    diffusion = Diffusion(LAPTOP)
    noisy = diffusion.noised(image, time, noise)                     # time [b], 1 to T
    image = diffusion.clean(noisy, time, answer)                     # what the network's answer means
    image = diffusion.sample(believe, noise, steps=20)               # DDIM; eta=1 and steps=T is DDPM

Betas are those of 1000 steps scaled to T, so that any T ends as noisy (as they stand, 200 steps would keep a third of
the signal). With `pure_noise` they are stretched until the last step keeps nothing (Lin et al., arXiv 2305.08891).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from models.music.errors import BadInput
from models.separation.counterfactual.config import CounterfactualConfig

Believe = Callable[[Tensor, Tensor], Tensor]
"""A noisy image [b, ...] and its time [b] -> the image [b, ...] that is taken to be behind it"""


class Diffusion:
    """How much of an image is left at each timestep, 0 to T."""

    def __init__(self, config: CounterfactualConfig) -> None:
        self.timesteps, self.predicts = config.timesteps, config.predicts
        betas = torch.linspace(*config.betas, config.timesteps, dtype=torch.float64) * 1000 / config.timesteps
        signal = torch.cat([torch.ones(1, dtype=torch.float64), torch.cumprod(1 - betas, 0).sqrt()])
        if config.pure_noise:
            signal = (signal - signal[-1]) / (1 - signal[-1])
        self.signal = signal.float()
        self.noise = (1 - signal.square()).sqrt().float()

    def noised(self, image: Tensor, time: Tensor, noise: Tensor) -> Tensor:
        signal, spread = self._at(time, image)
        return signal * image + spread * noise

    def clean(self, noisy: Tensor, time: Tensor, answer: Tensor) -> Tensor:
        """Return the image that an answer stands for."""
        if self.predicts == "x0":
            return answer
        signal, spread = self._at(time, noisy)
        return signal * noisy - spread * answer

    @torch.no_grad()
    def sample(
        self, believe: Believe, noise: Tensor, steps: int, eta: float = 0.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """Turn noise [b, ...] into an image in so many steps; fresh noise, when eta is not 0, comes from the generator."""
        if not 1 <= steps <= self.timesteps:
            raise BadInput(f"steps is {steps}; it must be from 1 to {self.timesteps}.")
        times = torch.linspace(self.timesteps, 0, steps + 1).round().long().tolist()
        noisy = image = noise
        for now, then in pairwise(times):
            time = torch.full((len(noise),), now, device=noise.device)
            image = believe(noisy, time)
            noisy = self._step(noisy, image, now, then, eta, generator)
        return image

    def _step(
        self, noisy: Tensor, image: Tensor, now: int, then: int, eta: float, generator: torch.Generator | None
    ) -> Tensor:
        """Go back from one timestep to an earlier one (DDIM, arXiv 2010.02502, equation 12)."""
        noise = (noisy - self.signal[now] * image) / self.noise[now]
        kept = (self.signal[now] / self.signal[then]).square()
        fresh = eta * self.noise[then] / self.noise[now] * (1 - kept).sqrt()
        known = (self.noise[then].square() - fresh.square()).clamp_min(0).sqrt()
        stepped = self.signal[then] * image + known * noise
        if not fresh:
            return stepped
        drawn = torch.randn(noisy.shape, generator=generator, dtype=noisy.dtype)
        return stepped + fresh * drawn.to(noisy.device)

    def _at(self, time: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """How much signal and noise there is at a time, ready to be multiplied with an image."""
        shape = (-1, *[1] * (like.dim() - 1))
        where = time.to(self.signal.device)
        return self.signal[where].to(like).view(shape), self.noise[where].to(like).view(shape)
