"""Hears of every stage of a local run and passes it on: to the screen, run.json, the log, MLflow's scribe, the report."""

from __future__ import annotations

import contextlib
import datetime
import logging
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backstage.pipeline_run import PipelineRun, StageRun
from backstage.record import FOLDER, Record
from backstage.report import write_report
from backstage.scribe import REPORT, start_scribe
from pipelines.screen import Screen
from pipelines.settings import Profile

LOG = "log.txt"
COLOURS = re.compile(r"\x1b\[\d+m")
UNDECIDED = ("Could not resolve", "Condition evaluation failed")
"""How kfp.local mutters that it took a gate for false because it did not find its value."""


class Watch:
    """The listener of one local run (pipelines/kfp_local.py calls it, from several threads)."""

    def __init__(self, run: PipelineRun, folder: Path, profile: Profile) -> None:
        self.run, self.folder, self.home = run, folder, profile.home
        self.screen: Screen | None = None
        self.scribe: subprocess.Popen[bytes] | None = None
        self.undecided = ""
        self._profile = profile
        self._log = open(folder / LOG, "a", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115 - open as long as the run
        self._lock = threading.RLock()

    def begin(self, task: str) -> StageRun:
        """Give a task its row; every further turn of a loop gets a row of its own."""
        with self._lock:
            stage = next((s for s in self.run.stages if s.name == task and s.state == "waiting"), None)
            if stage is None:
                turn = sum(s.name == task or s.name.startswith(f"{task}/") for s in self.run.stages) + 1
                returns = next((s.returns for s in self.run.stages if s.name == task), "")
                stage = StageRun(f"{task}/{turn}", returns=returns)
                self.run.stages.append(stage)
            stage.state, stage.started_s = "running", time.time()
        self._tell(stage)
        return stage

    def works(self, stage: StageRun) -> None:
        """A stage is really run: from here on there is something for MLflow."""
        with self._lock:
            self.run.save(self.folder)
            uri = self._profile.mlflow_uri
            if self.scribe is None and uri:
                self.scribe = start_scribe(self.folder, uri, self._profile.artifacts_uri)

    def end(self, stage: StageRun, outcome: Any, outputs: dict[str, Any]) -> None:
        stage.seconds = time.time() - stage.started_s
        if outcome == "cached":
            stage.record = _record_beside(outputs)
        left = stage.record.done if stage.record else None
        if "Output" in outputs:
            stage.came_to(stage.returns, outputs["Output"])
        elif left and left["number"]:
            stage.came_to(*left["number"])
        stage.state = outcome
        if stage.cause:
            self.say(stage, stage.cause)
        with self._lock:
            self.run.save(self.folder)
        self._tell(stage)

    def say(self, stage: StageRun, line: str) -> None:
        self.write(f"{stage.name} | {line}")

    def write(self, line: str) -> None:
        with self._lock, contextlib.suppress(OSError):  # a full disk must not stop those who listen to the stages
            if not self._log.closed:
                self._log.write(f"{datetime.datetime.now():%H:%M:%S} {line}\n")
                self._log.flush()

    def finish(self, outputs: dict[str, Any]) -> Path:
        """Close the books: what never ran was skipped; then the report, and the word to the scribe that it is over."""
        run = self.run
        for stage in run.stages:
            if not stage.finished:
                stage.state = "skipped" if stage.state == "waiting" else "failed"
                stage.cause = stage.cause or (None if stage.state == "skipped" else "stopped.")
        run.seconds = time.time() - run.began_s
        links = {
            **{name: Path(made.path).as_uri() for name, made in outputs.items() if hasattr(made, "path")},
            "folder": self.folder.as_uri(),
            "log": (self.folder / LOG).as_uri(),
            "MLflow": self._profile.mlflow_command,
        }
        report = write_report(self.folder / REPORT, run, links)
        run.state = "failed" if run.failed or self.undecided else "done"
        run.save(self.folder)
        self._log.close()
        return report

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Take what kfp logs into the run's log while the block runs."""
        root, handler = logging.getLogger(), _KfpLog(self)
        level = root.level
        root.addHandler(handler)
        root.setLevel(min(level, logging.INFO))
        try:
            yield
        finally:
            root.removeHandler(handler)
            root.setLevel(level)

    def _tell(self, stage: StageRun) -> None:
        if self.screen:
            self.screen.changed(stage)


class _KfpLog(logging.Handler):
    """Writes to the run's log, and notices a gate that kfp could not decide."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.INFO)
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        line = COLOURS.sub("", record.getMessage())
        self._watch.write(f"kfp | {line}")
        if record.levelno >= logging.WARNING and line.startswith(UNDECIDED):
            self._watch.undecided = line


def _record_beside(outputs: dict[str, Any]) -> Record | None:
    """Find what a cached stage logged when it ran."""
    for value in outputs.values():
        path = getattr(value, "path", None)
        if path and (Path(path).parent / FOLDER).is_dir():
            return Record(Path(path).parent / FOLDER)
    return None
