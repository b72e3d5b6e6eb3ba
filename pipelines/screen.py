"""The stages of a run on the screen: a live table on a terminal, one plain line per change anywhere else.

with Screen("make-drums", runs) as screen:
    screen.changed(run)
"""

from __future__ import annotations

import sys
import time

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from backstage.pipeline_run import StageRun
from models.music.figures import figure

MARKS = {"waiting": "·", "running": "▸", "done": "✔", "cached": "=", "failed": "✘", "skipped": "-"}
STYLES = {"waiting": "dim", "running": "cyan", "done": "green", "cached": "blue", "failed": "red", "skipped": "dim"}


class Screen:
    """What the user sees while a pipeline runs."""

    def __init__(self, title: str, runs: list[StageRun], *, plain: bool = False) -> None:
        self._title, self._runs = title, runs
        self._console = Console(file=sys.stdout, highlight=False)
        self._began = time.monotonic()
        live = self._console.is_terminal and not plain
        self._live = Live(console=self._console, get_renderable=self._table, refresh_per_second=4) if live else None

    def __enter__(self) -> Screen:
        if self._live:
            self._live.start()
        else:
            print(f"{self._title}: {len(self._runs)} stage{'s' * (len(self._runs) != 1)}", flush=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def changed(self, run: StageRun) -> None:
        """Show a stage's new state."""
        if not self._live and run.state != "waiting":
            number = run.number_text()
            took = f"{run.seconds:7.1f} s" if run.finished else " " * 9
            print(f"  {MARKS[run.state]} {run.name:<28} {run.state:<8}{took}  {number}".rstrip(), flush=True)

    def _table(self) -> RenderableType:
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        for column in ("mark", "stage", "state", "time", "number"):
            table.add_column(column, justify="right" if column == "time" else "left", no_wrap=column != "number")
        for run in self._runs:
            style = STYLES[run.state]
            seconds = time.time() - run.started_s if run.state == "running" else run.seconds
            shown = f"{seconds:.1f} s" if run.state not in ("waiting", "skipped") else ""
            number = run.number_text() or _latest(run)
            table.add_row(Text(MARKS[run.state], style), run.name, Text(run.state, style), shown, number)
        done = sum(run.finished for run in self._runs)
        head = Text(f"{self._title}  {done}/{len(self._runs)}  {time.monotonic() - self._began:.0f} s", style="bold")
        return Group(head, table)


def _latest(run: StageRun) -> str:
    """While a stage works, show the newest of its metrics."""
    if run.state != "running" or run.record is None:
        return ""
    noted = run.record.of_kind("metrics")
    if not noted:
        return ""
    key, value = next(iter(noted[-1]["values"].items()))
    step = noted[-1]["step"]
    return figure(run.record.figures(), key).told(value) + (f" at step {step}" if step else "")
