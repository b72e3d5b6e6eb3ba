"""What a listener is taught: labelled pictures, changed a little each time they are shown.

train(RoleLesson(dataset, held_out, ScorerConfig()), plan, folder)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.drums.roles.learned.dataset import LABELS, Dataset
from models.drums.roles.learned.network import Listener, ScorerConfig
from models.drums.roles.listening import MELS
from models.drums.roles.picture import SPANS
from models.music.errors import BadInput


@dataclass(frozen=True)
class LessonConfig:
    """How sounds are shown to a listener."""

    batch: int = 64
    """Sounds a step."""
    label_smoothing: float = 0.05
    """Share of doubt in every answer."""
    mixup: float = 0.3
    """Largest share of another sound mixed in."""
    equaliser: float = 0.12
    """Strength of a random curve over pitch, in units of 40 dB."""
    shift_mels: int = 3
    """Largest shift up or down, in mel bands."""
    tilt: float = 0.15
    """Strength of a random slope over time, in units of 40 dB."""
    noise_floor: float = 0.7
    """Highest noise floor drawn, from the bottom, in units of 40 dB."""
    masked_mels: int = 8
    """Widest band blanked out."""
    masked_spans: int = 4
    """Longest stretch blanked out."""


class RoleLesson:
    """Batches drawn evenly over roles and, by the square root, over makers and labels."""

    def __init__(
        self, dataset: Dataset, held_out: Dataset | None, config: ScorerConfig, lesson: LessonConfig | None = None
    ) -> None:
        if len(set(dataset.roles)) < 2:
            raise BadInput(f"roles: {len(dataset.shots)} one-shots of one role only; give at least two roles to learn.")
        self.network = Listener(config)
        self.settings = lesson or LessonConfig()
        self.pictures = torch.from_numpy(dataset.pictures)
        self.features = torch.from_numpy(dataset.features)
        self.labels = torch.from_numpy(dataset.labels)
        self.weights = torch.from_numpy(balance(dataset))
        self.held_out = held_out

    def batch(self, step: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Return pictures [b, m, s], features [b, 11] and target shares [b, labels]."""
        size, settings = self.settings.batch, self.settings
        shots = torch.multinomial(self.weights, size, replacement=True, generator=generator)
        variants = torch.randint(len(self.pictures), (size,), generator=generator)
        pictures = disturb(self.pictures[variants, shots].float(), settings, generator)
        features = self.features[variants, shots]
        targets = functional.one_hot(self.labels[shots], len(LABELS)).float()
        targets = targets * (1 - settings.label_smoothing) + settings.label_smoothing / len(LABELS)
        other = torch.randperm(size, generator=generator)
        share = torch.rand(size, 1, generator=generator) * settings.mixup
        mixed = (_mix(values, other, share) for values in (pictures, features, targets))
        return tuple(mixed)  # type: ignore[return-value]

    def loss(self, network: nn.Module, batch: tuple[Tensor, ...], generator: torch.Generator) -> tuple[Tensor, dict]:
        pictures, features, targets = batch
        logits = network(pictures, features)
        return -(targets * logits.log_softmax(1)).sum(1).mean(), {}

    def validate(self, network: nn.Module) -> dict[str, float]:
        if self.held_out is None:
            return {"loss": 0.0}
        logits = network(
            torch.from_numpy(self.held_out.pictures[0]).float(), torch.from_numpy(self.held_out.features[0])
        )
        labels = torch.from_numpy(self.held_out.labels)
        right = (logits.argmax(1) == labels).float().mean()
        return {"loss": float(functional.cross_entropy(logits, labels)), "label_accuracy": float(right)}


def balance(dataset: Dataset) -> np.ndarray:
    """float64[n]: how often to draw each shot; every role as often as another, large packs less than their size."""
    pairs = [f"{label}/{maker}" for label, maker in zip(dataset.labels, dataset.makers, strict=True)]
    _, which, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    weights = 1 / np.sqrt(counts[which])
    for role in np.unique(dataset.roles):
        weights[dataset.roles == role] /= weights[dataset.roles == role].sum()
    return weights


def disturb(pictures: Tensor, settings: LessonConfig, generator: torch.Generator) -> Tensor:
    """Equalise, shift, tilt, add a noise floor and blank stripes: [b, m, s] -> [b, m, s]."""
    size = len(pictures)

    def normal(*shape: int) -> Tensor:
        return torch.randn(size, *shape, generator=generator)

    curve = functional.interpolate(normal(1, 6), size=MELS, mode="linear", align_corners=True).transpose(1, 2)
    slope = normal(1, 1) * torch.linspace(0, 1, SPANS)
    gain = 0.1 * normal(1, 1)
    pictures = pictures + settings.equaliser * curve + settings.tilt * slope + gain
    shift = torch.randint(-settings.shift_mels, settings.shift_mels + 1, (size, 1), generator=generator)
    sources = (torch.arange(MELS) - shift).clamp(0, MELS - 1)
    pictures = pictures.gather(1, sources[:, :, None].expand(-1, -1, SPANS))
    floor = -1 + settings.noise_floor * torch.rand(size, 1, 1, generator=generator) ** 3
    pictures = torch.maximum(pictures.clamp(-1, 1.3), floor)
    pictures = pictures.masked_fill(_stripe(size, MELS, settings.masked_mels, generator)[:, :, None], -1.0)
    return pictures.masked_fill(_stripe(size, SPANS, settings.masked_spans, generator)[:, None], -1.0)


def _stripe(size: int, length: int, widest: int, generator: torch.Generator) -> Tensor:
    """bool[b, length]: one stretch in each row."""
    start = torch.randint(length, (size, 1), generator=generator)
    width = torch.randint(max(widest, 1), (size, 1), generator=generator)
    place = torch.arange(length)
    return (place >= start) & (place < start + width)


def _mix(values: Tensor, other: Tensor, share: Tensor) -> Tensor:
    share = share.reshape(-1, *[1] * (values.ndim - 1))
    return values * (1 - share) + values[other] * share
