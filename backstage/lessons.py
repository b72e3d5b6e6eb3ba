"""What a training or an evaluation shows in its stage's record.

with Journal("loss", FIGURES) as journal:       # a callback of models.learning.training
    train(lesson, plan, folder, [journal])      # metrics while it learns, the curve when it ends
with workplace(work, "groove", corpus.path, seed=0) as folder:   # where an interrupted training left its checkpoints
    ...
show_evaluation(evaluation.path, FIGURES)       # metrics.json, what stands beside it, and every picture
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from backstage.checkpoints import in_use, mirrored
from backstage.source import running_key
from backstage.tracking import log_audio, log_metrics, log_picture
from models.music.audio import Audio, write_audio
from models.music.figures import Figure, figure
from models.music.files import digest_of_folder, read_json
from models.music.plots import picture

CURVES = {"train_loss": "training", "loss": "validation"}


class Journal:
    """Logs metrics by step, and draws the loss of training and validation when the block ends."""

    def __init__(self, name: str, figures: Mapping[str, Figure]) -> None:
        self.name, self.figures = name, figures
        self.points: dict[str, list[tuple[int, float]]] = {curve: [] for curve in CURVES}

    def __enter__(self) -> Journal:
        return self

    def on_metrics(self, step: int, metrics: dict[str, float]) -> None:
        log_metrics(metrics, step, self.figures)
        for curve, points in self.points.items():
            if curve in metrics:
                points.append((step, metrics[curve]))

    def on_samples(self, step: int, samples: Mapping[str, Any]) -> None:
        from matplotlib.image import imsave

        with tempfile.TemporaryDirectory() as there:
            for name, sample in samples.items():
                title = f"{name}, step {step}"
                if isinstance(sample, Audio):
                    log_audio(title, write_audio(Path(there, "sample.wav"), sample))
                else:
                    imsave(file := Path(there, "sample.png"), sample)
                    log_picture(title, file)

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and any(self.points.values()):
            with tempfile.TemporaryDirectory() as there:
                file = Path(there, f"{self.name}.png")
                with picture(file, title=self.name, x="step", y=figure(self.figures, "loss").unit) as axes:
                    for curve, label in CURVES.items():
                        points = zip(*self.points[curve], strict=True) if self.points[curve] else ((), ())
                        axes.plot(*points, marker=".", label=label)
                    axes.legend()
                log_picture(self.name, file)


@contextlib.contextmanager
def workplace(work: str, name: str, corpus: str | Path, **settings: Any) -> Iterator[Path]:
    """Give the folder of one training's checkpoints: the same for the same data, settings and code; gone when it ends.

    `work` is a folder of this machine, or an address (s3://, file://) to which checkpoints are copied as they come.
    """
    if not work:
        with tempfile.TemporaryDirectory(prefix="jamflow-training-") as there:
            yield Path(there)
        return
    told = json.dumps([running_key(), digest_of_folder(corpus), settings], sort_keys=True)
    training = f"{name}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"
    with mirrored(work.rstrip("/"), training) if "://" in work else in_use(Path(work, training)) as folder:
        yield folder


def show_evaluation(folder: str | Path, figures: Mapping[str, Figure]) -> None:
    """Log an evaluation folder: its metrics beside the champion's and the baselines', and its pictures."""
    folder = Path(folder)
    told = {name: read_json(file) for name in ("champion", "baselines") if (file := folder / f"{name}.json").is_file()}
    beside = {"champion": told["champion"]} if "champion" in told else {}
    log_metrics(read_json(folder / "metrics.json"), figures=figures, beside=beside | told.get("baselines", {}))
    for file in sorted(folder.glob("*.png")):
        log_picture(file.stem.replace("_", " "), file)
