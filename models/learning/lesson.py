"""What the training loop asks of a lesson, and of those who listen to it.

class GrooveLesson: network, batch, loss, validate     # models/groove/lesson.py
class Journal: on_metrics                              # backstage/lessons.py
"""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.music.audio import Audio

Samples: TypeAlias = dict[str, Audio | NDArray[np.uint8]]
"""Sounds, and pictures uint8[height, width, 3], by name."""


class Lesson(Protocol):
    """What a network is to learn. Everything random comes from the generator."""

    @property
    def network(self) -> nn.Module: ...

    def batch(self, step: int, generator: torch.Generator) -> Any:
        """Return a batch: tensors, or tuples and dicts of them. Several threads may ask at once, for other steps."""
        ...

    def loss(self, network: nn.Module, batch: Any, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        """Return the loss to minimise and figures to show."""
        ...

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return figures on held-out data; "loss" decides which weights are best."""
        ...


class Callback(Protocol):
    """Who wants to know how a training goes."""

    def on_metrics(self, step: int, metrics: dict[str, float]) -> None: ...


@runtime_checkable
class Performer(Protocol):
    """A lesson whose network can be heard or seen at work."""

    def samples(self, network: nn.Module) -> Samples: ...


@runtime_checkable
class Listener(Protocol):
    """A callback that wants to hear and see it."""

    def on_samples(self, step: int, samples: Samples) -> None: ...
