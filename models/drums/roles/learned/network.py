"""The scorer's network: a few listeners, each a small convolution over the picture, and a memory of sounds.

    network = RoleNetwork(ScorerConfig())
    shares = network(pictures, features)             # [b, 5], sums to 1

Letters: b batch, m mel bands, s spans of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from models.drums.roles.learned.dataset import LABELS, ROLE_OF_LABEL
from models.drums.roles.learned.memory import SoundMemory
from models.drums.roles.listening import MELS
from models.drums.roles.picture import SPANS
from models.drums.roles.types import FEATURES, ROLES
from models.music.errors import BadConfig


@dataclass(frozen=True)
class ScorerConfig:
    """Sizes of the network."""

    listeners: int = 1
    """Convolutions that vote."""
    width: int = 16
    """Channels of the first convolution."""
    hidden: int = 64
    """Units before the answer."""
    dropout: float = 0.4
    """Share of units silenced in training."""
    memory_weight: float = 0.8
    """Share of the memory against all listeners."""
    memory_width: int = 64
    """Directions in which the memory compares sounds."""
    memory_variants: int = 1
    """Variants of each sound it keeps, the sound itself among them."""
    memory_sounds: int = 0
    """Sounds in the memory; training sets it."""

    def __post_init__(self) -> None:
        if min(self.listeners, self.width, self.hidden) < 1:
            raise BadConfig(
                f"scorer: listeners {self.listeners}, width {self.width}, hidden {self.hidden}; each needs 1."
            )


TINY = ScorerConfig(width=4, hidden=8, memory_weight=0.5, memory_width=8)


class Listener(nn.Module):
    """One vote: convolutions that keep where in pitch and time something is, then the eleven features beside it."""

    def __init__(self, config: ScorerConfig) -> None:
        super().__init__()
        width = config.width
        self.eyes = nn.Sequential(
            _block(2, width, (2, 1)),  # m 32, s 24
            _block(width, 2 * width, (2, 2)),  # m 16, s 12
            _block(2 * width, 2 * width, (2, 2)),  # m 8, s 6
            _block(2 * width, 4 * width, (1, 1)),
            nn.AvgPool2d(2),  # m 4, s 3
            nn.Flatten(),
            nn.Dropout(config.dropout),
        )
        self.measures = nn.Sequential(nn.BatchNorm1d(len(FEATURES)), nn.Linear(len(FEATURES), 2 * width), nn.ReLU())
        seen = 4 * width * (MELS // 16) * (SPANS // 8)
        self.answer = nn.Sequential(
            nn.Linear(seen + 2 * width, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, len(LABELS)),
        )
        members = torch.zeros(len(LABELS), len(ROLES))
        for row, label in enumerate(LABELS):
            members[row, ROLES.index(ROLE_OF_LABEL[label])] = 1.0
        self.register_buffer("members", members, persistent=False)
        self.register_buffer("pitch", torch.linspace(-1, 1, MELS)[None, None, :, None], persistent=False)

    def forward(self, pictures: Tensor, features: Tensor) -> Tensor:
        """[b, m, s], [b, 11] -> logits [b, labels]."""
        pitch = self.get_buffer("pitch").expand(len(pictures), 1, MELS, SPANS)
        seen = self.eyes(torch.cat([pictures[:, None], pitch], dim=1))
        return self.answer(torch.cat([seen, self.measures(features)], dim=1))

    def roles(self, pictures: Tensor, features: Tensor) -> Tensor:
        """Share of every role: [b, 5]."""
        return self(pictures, features).softmax(1) @ self.get_buffer("members")


class RoleNetwork(nn.Module):
    """All listeners and the memory; their shares are averaged."""

    def __init__(self, config: ScorerConfig) -> None:
        super().__init__()
        self.config = config
        self.listeners = nn.ModuleList(Listener(config) for _ in range(config.listeners))
        self.memory = SoundMemory(config.memory_sounds, config.memory_width)

    def forward(self, pictures: Tensor, features: Tensor) -> Tensor:
        """[b, m, s], [b, 11] -> share of every role [b, 5]."""
        heard = torch.stack([cast(Listener, one).roles(pictures, features) for one in self.listeners]).mean(0)
        remembered = self.memory(pictures, features)
        return (1 - self.config.memory_weight) * heard + self.config.memory_weight * remembered


def _block(inward: int, outward: int, stride: tuple[int, int]) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inward, outward, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(outward), nn.ReLU()
    )
