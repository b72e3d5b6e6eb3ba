"""The network that takes a mixture apart: spectrum, blocks, spectrum.

    network = Locoformer(LAPTOP)
    network(mixture)                # [b, c, t] -> [b, s, c, t], for any t
    network.apart(spectrum)         # complex [b, m, t, f] -> [b, s, m, t, f]: what weights were taught to do
    save_model(folder, network, network.config, KIND);  load_locoformer(folder)

A mixture is brought to a deviation of one before and its stems back to its own after, so that silence stays silence.
"""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from models.learning.checkpoint import load_model
from models.separation.locoformer.bands import BandSplit
from models.separation.locoformer.blocks import Block
from models.separation.locoformer.config import LocoformerConfig

# b batch, s stems, c channels, m channels heard together, t samples or frames, f frequencies, k bands, d width
KIND = "separator"
QUIETEST = 1e-5
"""Below this deviation a mixture is not made louder."""


class Locoformer(nn.Module):
    """A mixture in, its stems out."""

    def __init__(self, config: LocoformerConfig) -> None:
        super().__init__()
        self.config = config
        self.coder = BandCoder(config) if config.variant == "band" else FullCoder(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
        initialise(self)

    @property
    def stems(self) -> tuple[str, ...]:
        return self.config.stems

    def forward(self, mixture: Tensor) -> Tensor:
        """[b, c, t] -> [b, s, c, t]"""
        b, c, frames = mixture.shape
        heard = mixture.reshape(-1, self.config.channels, frames)  # a network of one channel hears each side alone
        heard = functional.pad(heard, (0, max(0, self.config.n_fft - frames)))
        spread = heard.std((1, 2), keepdim=True)
        stems = self.sound(self.apart(self.spectrum(heard / spread.clamp_min(QUIETEST))), heard.shape[-1])
        stems = (stems * spread[:, None])[..., :frames]
        return stems.unflatten(0, (b, -1)).transpose(1, 2).reshape(b, len(self.stems), c, frames)

    def apart(self, spectrum: Tensor) -> Tensor:
        """complex [b, m, t, f] -> complex [b, s, m, t, f]"""
        x = self.coder.enter(spectrum)
        for block in self.blocks:
            thinks_again = self.config.checkpointing and self.training and torch.is_grad_enabled()
            x = checkpoint(block, x, use_reentrant=False) if thinks_again else block(x)
        return self.coder.leave(x, spectrum)

    def spectrum(self, sound: Tensor) -> Tensor:
        """[b, m, t] -> complex [b, m, frames, f]"""
        spectrum = torch.stft(sound.flatten(0, 1), **self._transform(sound), return_complex=True)
        return spectrum.unflatten(0, sound.shape[:2]).transpose(2, 3)

    def sound(self, spectrum: Tensor, length: int) -> Tensor:
        """complex [b, s, m, frames, f] -> [b, s, m, t]"""
        rows = spectrum.flatten(0, 2).transpose(1, 2)
        return torch.istft(rows, **self._transform(spectrum.real), length=length).unflatten(0, spectrum.shape[:3])

    def _transform(self, like: Tensor) -> dict[str, Any]:
        n_fft = self.config.n_fft
        window = torch.hann_window(n_fft, dtype=like.dtype, device=like.device)
        return {"n_fft": n_fft, "hop_length": self.config.hop, "window": window}


class BandCoder(nn.Module):
    """Into bands, and out as masks of the mixture or as spectra."""

    def __init__(self, config: LocoformerConfig) -> None:
        super().__init__()
        self.bands, self.masking = BandSplit(config), config.masking

    def enter(self, spectrum: Tensor) -> Tensor:
        """complex [b, m, t, f] -> [b, t, k, d]"""
        return self.bands.gather(spectrum)

    def leave(self, x: Tensor, spectrum: Tensor) -> Tensor:
        """[b, t, k, d] -> complex [b, s, m, t, f]"""
        answer = self.bands.spread(x)
        return answer * spectrum[:, None] if self.masking else answer


class FullCoder(nn.Module):
    """A convolution over the whole spectrogram in, and one out; computed in full precision also under autocast."""

    def __init__(self, config: LocoformerConfig) -> None:
        super().__init__()
        self.shape = (len(config.stems), config.channels, 2)
        self.into = nn.Conv2d(2 * config.channels, config.width, 3, padding=1)
        self.norm = nn.GroupNorm(1, config.width, config.eps)
        self.out = nn.ConvTranspose2d(config.width, 2 * config.channels * len(config.stems), 3, padding=1)

    def enter(self, spectrum: Tensor) -> Tensor:
        """complex [b, m, t, f] -> [b, t, f, d]"""
        with torch.autocast(spectrum.device.type, enabled=False):
            parts = torch.cat([spectrum.real, spectrum.imag], 1)
            return self.norm(self.into(parts)).permute(0, 2, 3, 1)

    def leave(self, x: Tensor, spectrum: Tensor) -> Tensor:
        """[b, t, f, d] -> complex [b, s, m, t, f]"""
        with torch.autocast(x.device.type, enabled=False):
            answer = self.out(x.permute(0, 3, 1, 2).to(spectrum.real.dtype))
        return torch.view_as_complex(answer.unflatten(1, self.shape).permute(0, 1, 2, 4, 5, 3).contiguous())


def load_locoformer(folder: str | os.PathLike[str]) -> tuple[Locoformer, dict[str, Any]]:
    """Return the network of a model folder, in evaluation mode, and the facts saved with it."""
    return load_model(folder, KIND, LocoformerConfig, Locoformer)


def initialise(network: nn.Module) -> None:
    """Draw every matrix and kernel Xavier-uniform and begin with biases of zero, as the paper's recipe does."""
    for part in network.modules():
        if isinstance(part, nn.Linear | nn.Conv1d | nn.Conv2d | nn.ConvTranspose1d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
