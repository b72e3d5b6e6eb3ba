"""A progress bar for a person at a terminal; nothing for a log file.

with ProgressBar(steps=4000) as show:
    show(1, {"train_loss": 0.7})
"""

from __future__ import annotations

import sys
from collections.abc import Callable


class ProgressBar:
    """Shows how far a training is and its loss, on standard error, and goes when it ends."""

    def __init__(self, steps: int, done: int = 0, visible: bool = True) -> None:
        self.steps, self.done, self.visible = steps, done, visible and sys.stderr.isatty()

    def __enter__(self) -> Callable[[int, dict[str, float]], None]:
        if not self.visible:
            return lambda step, figures: None
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = ("[progress.description]{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, TextColumn("{task.fields[loss]}"), console=Console(stderr=True), transient=True)
        self.bar.start()
        task = self.bar.add_task("training", total=self.steps, completed=self.done, loss="")
        return lambda step, figures: self.bar.update(task, completed=step, loss=f"loss {figures['train_loss']:.4g}")

    def __exit__(self, *_: object) -> None:
        if self.visible:
            self.bar.stop()
