"""How far a training is: a bar for a person at a terminal, a plain line now and then for a log file.

with Progress(steps=4000, minutes=30) as show:
    show(1200, loss=0.412)          # step 1,200 of 4,000 | loss 0.412 | 35 steps/s | 1 min 20 s left
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

LINE_EVERY_S = 10.0


class Progress:
    """Shows step, loss, speed and time left on standard error; `done` steps and `minutes` were done before."""

    def __init__(self, steps: int, done: int = 0, minutes: float = 0.0, *, visible: bool = True) -> None:
        self.steps, self.done, self.minutes, self.visible = steps, done, minutes, visible
        self.bar = None

    def __enter__(self) -> Callable[[int, float], None]:
        self.began = self.told = time.monotonic()
        if not self.visible:
            return lambda step, loss: None
        if not sys.stderr.isatty():
            return self._now_and_then
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        columns = (BarColumn(), TextColumn("{task.description}"))
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self.bar.start()
        self.bar.add_task("", total=self.steps, completed=self.done)
        return self._on_the_bar

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.stop()

    def line(self, step: int, loss: float) -> str:
        """Say everything in one line."""
        passed_s = time.monotonic() - self.began
        left_s = passed_s * (self.steps - step) / (step - self.done)
        if self.minutes:
            left_s = max(0.0, min(left_s, self.minutes * 60 - passed_s))
        speed = (step - self.done) / max(passed_s, 1e-9)
        return f"step {step:,} of {self.steps:,} | loss {loss:.4g} | {speed:.3g} steps/s | {duration(left_s)} left"

    def _now_and_then(self, step: int, loss: float) -> None:
        now = time.monotonic()
        if now - self.told >= LINE_EVERY_S or step == self.steps:
            self.told = now
            print(self.line(step, loss), file=sys.stderr, flush=True)

    def _on_the_bar(self, step: int, loss: float) -> None:
        assert self.bar is not None, "it was started"
        self.bar.update(self.bar.task_ids[0], completed=step, description=self.line(step, loss))


def duration(seconds: float) -> str:
    """Say a time in its two largest units."""
    minutes, s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {s} s" if minutes else f"{s} s"
