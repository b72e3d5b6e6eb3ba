"""TensorBoard's event files, for those who like to watch a training there.

with EventFiles("runs/groove/events") as events:        # a callback of models.learning.training
    train(lesson, plan, folder, [events])
# tensorboard --logdir runs/groove/events
"""

from __future__ import annotations

from pathlib import Path

import torch

from models.learning.lesson import Samples
from models.music.audio import Audio
from models.music.errors import BadConfig


class EventFiles:
    """Writes figures, sounds and pictures by step."""

    def __init__(self, folder: str | Path) -> None:
        try:
            from torch.utils.tensorboard.writer import SummaryWriter
        except ImportError as error:
            raise BadConfig(f"{folder}: event files need TensorBoard. Install it: pip install tensorboard.") from error
        self._writer = SummaryWriter(str(folder))

    def __enter__(self) -> EventFiles:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def on_metrics(self, step: int, metrics: dict[str, float]) -> None:
        for name, value in metrics.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def on_samples(self, step: int, samples: Samples) -> None:
        for name, sample in samples.items():
            if isinstance(sample, Audio):
                sound = torch.from_numpy(sample.mono().samples.copy())
                self._writer.add_audio(name, sound, step, sample_rate=sample.rate_hz)
            else:
                self._writer.add_image(name, sample, step, dataformats="HWC")
