"""What a training or an evaluation shows in its stage's record.

with Journal("loss") as journal:                # a callback of models.learning.training
    train(lesson, plan, folder, [journal])      # metrics while it learns, the curve when it ends
with workplace(work, "groove", corpus.path, seed=0) as folder:   # where an interrupted training left its checkpoints
    ...
show_evaluation(evaluation.path)                # metrics.json and every picture beside it
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backstage.source import running_key
from backstage.tracking import log_metrics, log_picture
from models.music.files import digest_of_folder, read_json
from models.music.plots import picture

CURVES = {"train_loss": "training", "loss": "validation"}


class Journal:
    """Logs metrics by step, and draws the loss of training and validation when the block ends."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.points: dict[str, list[tuple[int, float]]] = {curve: [] for curve in CURVES}

    def __enter__(self) -> Journal:
        return self

    def on_metrics(self, step: int, metrics: dict[str, float]) -> None:
        log_metrics(metrics, step)
        for curve, points in self.points.items():
            if curve in metrics:
                points.append((step, metrics[curve]))

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and any(self.points.values()):
            with tempfile.TemporaryDirectory() as there:
                file = Path(there, f"{self.name}.png")
                with picture(file, title=self.name, x="step") as axes:
                    for curve, label in CURVES.items():
                        axes.plot(
                            *zip(*self.points[curve], strict=True) if self.points[curve] else ((), ()), label=label
                        )
                    axes.legend()
                log_picture(self.name, file)


@contextlib.contextmanager
def workplace(work: str, name: str, corpus: str | Path, **settings: Any) -> Iterator[Path]:
    """Give the folder of one training's checkpoints: the same for the same data, settings and code; gone when it ends."""
    if not work:
        with tempfile.TemporaryDirectory(prefix="jamflow-training-") as there:
            yield Path(there)
        return
    told = json.dumps([running_key(), digest_of_folder(corpus), settings], sort_keys=True)
    folder = Path(work, f"{name}-{hashlib.sha256(told.encode()).hexdigest()[:12]}")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def show_evaluation(folder: str | Path) -> None:
    """Log an evaluation folder: its metrics and its pictures."""
    log_metrics(read_json(Path(folder, "metrics.json")))
    for file in sorted(Path(folder).glob("*.png")):
        log_picture(file.stem, file)
