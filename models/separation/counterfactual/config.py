"""How a counterfactual separator is built, and its named sizes.

    CounterfactualConfig(width=32, timesteps=1000)
    LAPTOP.window

It hears a song and imagines the same song without its singer; what the song has more is the vocals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from models.music.audio import HOUSE_RATE_HZ
from models.music.errors import BadConfig
from models.separation.counterfactual.reconstruction import Reconstruction

Prediction = Literal["x0", "v"]
VOCALS, INSTRUMENTAL = "vocals", "instrumental"
PARTS = (VOCALS, INSTRUMENTAL)


@dataclass(frozen=True)
class CounterfactualConfig:
    """Everything that a counterfactual separator's weights and answers depend on."""

    rate_hz: int = HOUSE_RATE_HZ
    """Of the sound it knows."""
    n_fft: int = 2048
    """Samples of a spectrum."""
    hop: int = 1024
    """Samples between spectra."""
    frames: int = 88
    """Spectra that are heard at once; attention grows with their square."""
    fold: int = 8
    """Neighbouring frequencies that are looked at as one place."""
    width: int = 32
    """Channels of the finest map."""
    widths: tuple[int, ...] = (1, 2, 2)
    """Channels of each map, times `width`; each is half as fine as the one before."""
    blocks: int = 1
    """Residual blocks of each map."""
    attention_below: int = 2
    """So many of the finest maps are too large for attention."""
    heads: int = 4
    """Places that are looked at independently."""
    timesteps: int = 1000
    """From the instrumental to noise (T)."""
    betas: tuple[float, float] = (1e-4, 2e-2)
    """Variance that the first and the last of 1000 steps add, linear between; fewer steps add more each."""
    pure_noise: bool = True
    """Whether the last step keeps nothing at all of the instrumental (zero terminal SNR)."""
    predicts: Prediction = "x0"
    """What the network answers: the instrumental, or the velocity from it to the noise."""
    reconstruction: Reconstruction = "mask"
    """How vocals come of the mixture and the imagined instrumental."""
    preview_steps: int = 5
    """Of sampling, when it is to be quick."""
    final_steps: int = 20
    """Of sampling, when it is to be good."""
    eta: float = 0.0
    """Share of fresh noise at each step: 0 is DDIM, 1 with every timestep is DDPM."""

    def __post_init__(self) -> None:
        coarsest = 2 ** (len(self.widths) - 1)
        for name, divisor in (("frames", coarsest), ("n_fft", 2 * self.fold * coarsest), ("width", self.heads)):
            if (value := getattr(self, name)) < 1 or value % divisor:
                raise BadConfig(f"{name} is {value}; it must be a multiple of {divisor}.")
        if not 1 <= self.hop <= self.n_fft // 2:
            raise BadConfig(f"hop is {self.hop}; it must be from 1 to half of n_fft, {self.n_fft // 2}.")
        if not 0 < self.betas[0] <= self.betas[1] or self.betas[1] * 1000 / max(1, self.timesteps) >= 1:
            raise BadConfig(
                f"betas are {self.betas} in {self.timesteps} timesteps; give rising ones above 0 and more timesteps than"
                f" {1000 * self.betas[1]:.0f}."
            )
        for name in ("preview_steps", "final_steps"):
            if not 1 <= (value := getattr(self, name)) <= self.timesteps:
                raise BadConfig(f"{name} is {value}; it must be from 1 to timesteps, {self.timesteps}.")
        if not 0 <= self.eta <= 1:
            raise BadConfig(f"eta is {self.eta}; give 0 (DDIM) to 1 (DDPM).")
        for name, known in (("predicts", Prediction), ("reconstruction", Reconstruction)):
            if (value := getattr(self, name)) not in get_args(known):
                raise BadConfig(f"{name} is {value!r}; give one of {', '.join(get_args(known))}.")

    @property
    def window(self) -> int:
        """Samples that are heard at once."""
        return (self.frames - 1) * self.hop


TINY = CounterfactualConfig(n_fft=256, hop=128, frames=32, fold=2, width=8, widths=(1, 2), attention_below=1, heads=2)
"""For tests."""
LAPTOP = CounterfactualConfig()
"""Learns on two cores; the default."""
STUDIO = CounterfactualConfig(
    hop=512, frames=176, fold=2, width=96, widths=(1, 2, 3, 4), blocks=2, attention_below=3, final_steps=50
)
"""For one large GPU."""
