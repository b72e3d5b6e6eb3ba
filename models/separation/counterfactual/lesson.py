"""What a counterfactual separator is taught: the instrumental behind a noisy one, and the vocals that follow from it.

    lesson = CounterfactualLesson(corpus, read_preset("laptop"), Counterfactual(LAPTOP))    # for models.learning.training

Both losses are of magnitudes in their own scale, per mean magnitude of the mixture, and both are 0 when the instrumental
is perfect: vocals are compared with what the same reconstruction makes of the true instrumental.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from models.learning.lesson import Samples
from models.learning.training import TrainingPlan
from models.music.audio import Audio
from models.music.config import from_mapping, nearest, read_yaml
from models.music.errors import BadConfig
from models.separation.counterfactual import config as sizes
from models.separation.counterfactual.config import PARTS, CounterfactualConfig
from models.separation.counterfactual.network import Counterfactual
from models.separation.counterfactual.reconstruction import RECONSTRUCTIONS
from models.separation.counterfactual.songs import voice_of
from models.separation.dataset import Corpus
from models.separation.lesson import spectrogram, spread_stretches
from models.separation.metrics import is_silent, usdr
from models.separation.mixing import Mixer, Mixing

PRESETS = Path(__file__).with_name("presets.yaml")
QUIETEST = 1e-3
"""Mean magnitude that silence counts as."""


@dataclass(frozen=True)
class CounterfactualTraining:
    """How a counterfactual separator is taught."""

    plan: TrainingPlan
    network: Literal["tiny", "laptop", "studio"] = "laptop"
    """Which size, see models/separation/counterfactual/config.py."""
    changes: dict[str, Any] = field(default_factory=dict)
    """What differs from that size, by the names of its fields: {timesteps: 200, predicts: v}."""
    batch: int = 4
    """Mixtures a step."""
    generation: float = 1.0
    """How much the instrumental counts."""
    separation: float = 1.0
    """How much the vocals count."""
    mixing: Mixing = field(default_factory=Mixing)
    """How mixtures are drawn."""
    validation_chunks: int = 12
    """Stretches that judge each validation."""
    measured: int = 64
    """Mixtures of which the scale of each frequency is taken."""

    def __post_init__(self) -> None:
        for name in ("batch", "validation_chunks", "measured"):
            if (value := getattr(self, name)) < 1:
                raise BadConfig(f"{name} is {value}; give at least 1.")
        if min(self.generation, self.separation) < 0 or not self.generation + self.separation:
            raise BadConfig(f"generation is {self.generation}, separation {self.separation}; one must be above 0.")

    @property
    def config(self) -> CounterfactualConfig:
        size = getattr(sizes, self.network.upper())
        whole = {name: getattr(size, name) for name in size.__dataclass_fields__} | self.changes
        return from_mapping(CounterfactualConfig, whole, f"{self.network}: changes")


def read_preset(name: str) -> CounterfactualTraining:
    """Read a preset of presets.yaml by its name, or a file of your own with the same keys."""
    if name.endswith((".yaml", ".yml")):
        return from_mapping(CounterfactualTraining, read_yaml(name), Path(name).name)
    presets = read_yaml(PRESETS)
    if name not in presets:
        raise BadConfig(f"preset {name!r}: {nearest(name, presets)}.")
    return from_mapping(CounterfactualTraining, presets[name], f"{PRESETS.name}: {name}")


class CounterfactualLesson:
    """Mixtures in, losses out: what models.learning.training teaches from."""

    def __init__(self, corpus: Corpus, training: CounterfactualTraining, network: Counterfactual) -> None:
        self.network, self.training, self.rate_hz = network, training, corpus.rate_hz
        self.voice = voice_of(corpus)
        self.mixer = Mixer(corpus["train"], corpus.rate_hz, training.mixing, network.config.window)
        self.judged = self._two_parts(spread_stretches(corpus, training.validation_chunks, network.config.window))

    def measure(self) -> None:
        """Take the scales of the training songs for the network's own."""
        dice = torch.Generator().manual_seed(self.training.plan.seed)
        batches = math.ceil(self.training.measured / self.training.batch)
        self.network.spectrogram.measure(self.batch(0, dice).sum(1) for _ in range(batches))

    def batch(self, step: int, generator: torch.Generator) -> Tensor:
        """[b, 2 parts, 2, t]"""
        dice = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        return self._two_parts(torch.from_numpy(np.stack([self.mixer.draw(dice) for _ in range(self.training.batch)])))

    def _two_parts(self, stems: Tensor) -> Tensor:
        """[b, s, 2, t] -> [b, 2 parts, 2, t]"""
        vocals = stems[:, self.voice]
        return torch.stack([vocals, stems.sum(1) - vocals], 1)

    def loss(self, network: nn.Module, batch: Tensor, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        eyes, diffusion = self.network.spectrogram, self.network.diffusion
        mixture, band = eyes.spectrum(batch.sum(1)), eyes.spectrum(batch[:, 1]).abs()
        image = eyes.image(band)
        time = torch.randint(1, diffusion.timesteps + 1, (len(batch),), generator=generator).to(image.device)
        noise = torch.randn(image.shape, generator=generator).to(image)
        believed = network(diffusion.noised(image, time, noise), eyes.image(mixture.abs()), time)
        return self.distance(mixture, band, eyes.magnitude(believed.float()))

    def distance(self, mixture: Tensor, band: Tensor, believed: Tensor) -> tuple[Tensor, dict[str, float]]:
        """How far a believed instrumental is from the true one, and its vocals from what the true one would give."""
        reconstruct, loudness = RECONSTRUCTIONS["mask"], mixture.abs().mean().clamp_min(QUIETEST)
        generation = (believed - band).abs().mean() / loudness
        sung = reconstruct(mixture, believed) - reconstruct(mixture, band)
        separation = sung.abs().mean() / loudness
        figures = {"generation": float(generation.detach()), "separation": float(separation.detach())}
        return self.training.generation * generation + self.training.separation * separation, figures

    def validate(self, network: nn.Module) -> dict[str, float]:
        """The loss on held-out stretches after as few steps as a preview has, and the mean uSDR of each part."""
        losses, ratios = [], {part: [] for part in PARTS}
        for found, chunk, loss in self._heard():
            losses.append(loss)
            for part, true, answer in zip(PARTS, chunk.numpy(), found.numpy(), strict=True):
                if not is_silent(true):
                    ratios[part].append(usdr(true, answer))
        means = {f"usdr_{part}": float(np.mean(values)) for part, values in ratios.items() if values}
        return {"loss": float(np.mean(losses)), **means, "usdr": float(np.mean(list(means.values()) or [0.0]))}

    def samples(self, network: nn.Module) -> Samples:
        """The first stretch: its mixture and parts to hear, and their spectrograms under the true ones to see."""
        found, chunk, _ = next(self._heard())
        sounds = {"mixture": chunk.sum(0), **dict(zip(PARTS, found, strict=True))}
        heard = {name: Audio(sound.numpy(), self.rate_hz, name) for name, sound in sounds.items()}
        columns = [
            np.concatenate([spectrogram(true), spectrogram(answer)]) for true, answer in zip(chunk, found, strict=True)
        ]
        return {**heard, "true above, separated below": np.concatenate(columns, 1)}

    def _heard(self) -> Iterator[tuple[Tensor, Tensor, float]]:
        """Give what the network makes of each stretch, the stretch, [2 parts, 2, t] both, and how far it is off."""
        network, eyes = self.network, self.network.spectrogram
        dice = torch.Generator().manual_seed(self.training.plan.seed)
        for chunk in self.judged:
            parts = chunk[None].to(eyes.mean.device)
            mixture, band = eyes.spectrum(parts.sum(1)), eyes.spectrum(parts[:, 1]).abs()
            believed = network.imagine(mixture, network.config.preview_steps, dice)
            found = network.parts_of(parts.sum(1), mixture, believed)[0]
            yield found.cpu(), chunk, float(self.distance(mixture, band, believed)[0])
