"""What a separator is taught, batch by batch: mixtures in, how far its stems are from the true ones out.

    lesson = SeparationLesson(corpus, read_preset("laptop"), Locoformer(LAPTOP))        # for models.learning.training

Any network will do that turns [b, 2, t] into [b, s, 2, t]. It is validated on stretches of songs that it does not learn
from, as they are; the test songs are never looked at.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.learning.lesson import Samples
from models.learning.training import TrainingPlan
from models.music.audio import Audio
from models.music.config import from_mapping, nearest, read_yaml
from models.music.errors import BadConfig
from models.separation.dataset import Corpus
from models.separation.locoformer import config as locoformer
from models.separation.locoformer.config import LocoformerConfig
from models.separation.losses import LossWeights, separation_loss
from models.separation.metrics import is_silent, usdr
from models.separation.mixing import Mixer, Mixing
from models.separation.realtime import config as realtime

PRESETS = Path(__file__).with_name("presets.yaml")
Size = Literal["tiny", "laptop", "studio", "full", "tiny-live", "live"]
SIZES: dict[Size, LocoformerConfig] = {
    "tiny": locoformer.TINY,
    "laptop": locoformer.LAPTOP,
    "studio": locoformer.STUDIO,
    "full": locoformer.FULL,
    "tiny-live": realtime.TINY,
    "live": realtime.LIVE,
}
PICTURE = (128, 256)
"""Frequencies and frames of a spectrogram to look at."""


@dataclass(frozen=True)
class SeparationTraining:
    """How a separator is taught."""

    plan: TrainingPlan
    network: Size = "laptop"
    """Which size, see config.py in models/separation/locoformer and models/separation/realtime."""
    changes: dict[str, Any] = field(default_factory=dict)
    """What differs from that size, by the names of its fields: {n_fft: 2048, hop: 1024}."""
    batch: int = 4
    """Mixtures a step."""
    epochs: int = 0
    """So many times as much music as there is to learn from, instead of the plan's steps."""
    losses: LossWeights = field(default_factory=LossWeights)
    """What counts as far off."""
    mixing: Mixing = field(default_factory=Mixing)
    """How mixtures are drawn."""
    validation_chunks: int = 24
    """Stretches that judge each validation."""
    start: str = ""
    """A folder or name of demucs' whose network goes on learning, instead of a new one of ours."""

    def __post_init__(self) -> None:
        if self.batch < 1 or self.validation_chunks < 1 or self.epochs < 0:
            raise BadConfig(
                f"batch is {self.batch}, validation_chunks {self.validation_chunks}; give at least 1 of both."
            )

    @property
    def config(self) -> LocoformerConfig:
        size = SIZES[self.network]
        whole = {name: getattr(size, name) for name in size.__dataclass_fields__} | self.changes
        return from_mapping(type(size), whole, f"{self.network}: changes")

    def plan_for(self, corpus: Corpus, segment_s: float) -> TrainingPlan:
        """The plan, with steps from epochs where those are given."""
        if not self.epochs:
            return self.plan
        seconds = sum(song.frames for song in corpus["train"]) / corpus.rate_hz
        return replace(self.plan, steps=math.ceil(self.epochs * seconds / (self.batch * segment_s)))


def read_preset(name: str) -> SeparationTraining:
    """Read a preset of presets.yaml by its name, or a file of your own with the same keys."""
    if name.endswith((".yaml", ".yml")):
        return from_mapping(SeparationTraining, read_yaml(name), Path(name).name)
    presets = read_yaml(PRESETS)
    if name not in presets:
        raise BadConfig(f"preset {name!r}: {nearest(name, presets)}.")
    return from_mapping(SeparationTraining, presets[name], f"{PRESETS.name}: {name}")


class SeparationLesson:
    """Mixtures in, losses out: what models.learning.training teaches from."""

    def __init__(self, corpus: Corpus, training: SeparationTraining, network: nn.Module, segment_s: float) -> None:
        self.network, self.training, self.stems, self.rate_hz = network, training, corpus.stems, corpus.rate_hz
        frames = round(segment_s * corpus.rate_hz)
        self.mixer = Mixer(corpus["train"], corpus.rate_hz, training.mixing, frames)
        self.judged = spread_stretches(corpus, training.validation_chunks, frames)

    def batch(self, step: int, generator: torch.Generator) -> Tensor:
        """[b, s, 2, t]"""
        dice = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        return torch.from_numpy(np.stack([self.mixer.draw(dice) for _ in range(self.training.batch)]))

    def loss(self, network: nn.Module, batch: Tensor, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        return separation_loss(network(batch.sum(1)), batch, self.training.losses, self.rate_hz)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """The loss on held-out stretches, and the mean uSDR of each stem where it is heard."""
        losses, ratios = [], {stem: [] for stem in self.stems}
        for found, chunk in self._heard(network):
            losses.append(float(separation_loss(found[None], chunk[None], self.training.losses, self.rate_hz)[0]))
            for stem, true, answer in zip(self.stems, chunk.numpy(), found.numpy(), strict=True):
                if not is_silent(true):
                    ratios[stem].append(usdr(true, answer))
        means = {f"usdr_{stem}": float(np.mean(values)) for stem, values in ratios.items() if values}
        return {"loss": float(np.mean(losses)), **means, "usdr": float(np.mean(list(means.values()) or [0.0]))}

    def samples(self, network: nn.Module) -> Samples:
        """The first stretch: its mixture and stems to hear, and their spectrograms under the true ones to see."""
        found, chunk = next(self._heard(network))
        sounds = {"mixture": chunk.sum(0), **dict(zip(self.stems, found, strict=True))}
        pictures = [
            np.concatenate([spectrogram(true), spectrogram(answer)]) for true, answer in zip(chunk, found, strict=True)
        ]
        heard = {name: Audio(sound.numpy(), self.rate_hz, name) for name, sound in sounds.items()}
        return {**heard, "true above, separated below": np.concatenate(pictures, 1)}

    def _heard(self, network: nn.Module) -> Iterator[tuple[Tensor, Tensor]]:
        """Give what the network makes of each stretch, and the stretch: [s, 2, t] both."""
        device = next(network.parameters()).device
        for chunk in self.judged:
            yield network(chunk.sum(0)[None].to(device))[0].float().cpu(), chunk


def spread_stretches(corpus: Corpus, count: int, frames: int) -> Tensor:
    """Take stretches [n, s, 2, t], spread evenly over the validation songs."""
    songs, chunks = corpus["valid"], []
    for place in np.linspace(0, len(songs), count, endpoint=False):
        song = songs[int(place)]
        start = round((place % 1.0) * max(0, song.frames - frames))
        chunks.append([song.stretch(stem, start, frames) for stem in range(len(corpus.stems))])
    return torch.from_numpy(np.array(chunks))


def spectrogram(sound: Tensor) -> NDArray[np.uint8]:
    """[c, t] -> uint8[height, width, 3], low frequencies below, from -80 dB to full scale."""
    spectrum = torch.stft(sound.mean(0), 1024, 512, window=torch.hann_window(1024), return_complex=True).abs()
    level = (20 * torch.log10(spectrum / 256 + 1e-4) + 80) / 80
    resized = nn.functional.interpolate(level.clamp(0, 1).flip(0)[None, None], PICTURE, mode="area")[0, 0]
    return (255 * resized[..., None].expand(-1, -1, 3)).numpy().astype(np.uint8)
