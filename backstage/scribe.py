"""Copies a run's records to MLflow while they grow: one MLflow run for the pipeline, one nested below it for every stage.

    scribe = start_scribe(run_folder, "sqlite:///mlflow.db", artifacts_uri)
    scribe.wait()                       # or not: it ends by itself

It is a process of its own, started when a stage first truly works: whoever runs pipelines never waits for the import of
MLflow, stages that run side by side never meet in its database, and a run answered by the cache alone costs nothing.
It reads run.json (backstage/pipeline_run.py) and the stages' journals, and outlives a run that is killed long enough
to say so. Trouble with MLflow ends up in scribe.txt and stops nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backstage.pipeline_run import PipelineRun, StageRun
from backstage.source import SOURCE_ROOT
from models.music.plain import readable
from serving.store import open_store
from serving.where import database_of

EVERY_S = 1.0
REPORT = "report.html"


def start_scribe(folder: Path, tracking_uri: str, artifacts_uri: str = "") -> subprocess.Popen[bytes]:
    """Start copying a run's folder to MLflow, in a process of its own that ends by itself soon after the run."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCE_ROOT), os.environ.get("PYTHONPATH", "")])}
    with open(folder / "scribe.txt", "ab") as said:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "backstage.scribe", str(folder), tracking_uri, artifacts_uri],
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True, env=environment,
        )  # fmt: skip


def main(argv: list[str]) -> int:
    """Copy until the run has ended, or the process that ran it has."""
    folder, uri, artifacts_uri = Path(argv[0]), argv[1], argv[2]
    book = _Book(uri, artifacts_uri, PipelineRun.load(folder))
    while True:
        run = PipelineRun.load(folder)
        alive = run.alive
        for stage in run.stages:
            if stage.worked:
                book.copy(stage, alive=alive)
        if not alive:
            book.close(run, folder / REPORT)
            return 0
        time.sleep(EVERY_S)


class _Book:
    """The pages of one pipeline run in MLflow."""

    def __init__(self, uri: str, artifacts_uri: str, run: PipelineRun) -> None:
        self._client = open_store(uri)
        found = self._client.get_experiment_by_name(run.name)
        where = f"{artifacts_uri.rstrip('/')}/{run.name}" if artifacts_uri and database_of(uri) else None
        self._experiment = found.experiment_id if found else self._client.create_experiment(run.name, where)
        tags = {"mlflow.runName": run.run, "mlflow.source.git.commit": git_commit()}
        self._parent = self._client.create_run(self._experiment, int(run.began_s * 1000), tags).info.run_id
        self._log_params(self._parent, run.params)
        self._pages: dict[str, tuple[str, int]] = {}
        self._closed: set[str] = set()

    def copy(self, run: StageRun, *, alive: bool) -> None:
        """Copy what a stage's record gained since the last time; close the page of a finished one."""
        if run.name in self._closed or run.record is None:
            return
        if run.name not in self._pages:
            self._pages[run.name] = (self._open_page(run), 0)
        page, position = self._pages[run.name]
        entries, position = run.record.entries(position)
        self._pages[run.name] = (page, position)
        self._log_metrics(page, [e for e in entries if e["kind"] in ("metrics", "system")])
        for entry in entries:
            if entry["kind"] == "tags":
                for key, value in entry["values"].items():
                    self._client.set_tag(page, key, value)
            elif entry["kind"] in ("picture", "audio"):
                self._client.log_artifact(page, str(run.record.folder / entry["file"]), f"{entry['kind']}s")
        if run.finished or not alive:
            self._close_page(run, page)

    def close(self, run: PipelineRun, report: Path) -> None:
        """Close the pipeline's own page; a run whose process died is a killed one."""
        if report.is_file():
            self._client.log_artifact(self._parent, str(report))
        self._client.set_tag(self._parent, "stages.cached", ",".join(s.name for s in run.stages if s.state == "cached"))
        status = {"done": "FINISHED", "failed": "FAILED"}.get(run.state, "KILLED")
        self._client.set_terminated(self._parent, status)

    def _open_page(self, run: StageRun) -> str:
        tags = {
            "mlflow.runName": run.name,
            "mlflow.parentRunId": self._parent,
            "image": run.image,
            "source.digest": run.image.rpartition(":")[2],
            "mlflow.source.git.commit": git_commit(),
        }
        page = self._client.create_run(self._experiment, int(run.started_s * 1000), tags).info.run_id
        self._log_params(page, run.params)
        return page

    def _close_page(self, run: StageRun, page: str) -> None:
        if run.cause:
            self._client.set_tag(page, "cause", readable(run.cause)[:5000])
        self._client.log_metric(page, "seconds", run.seconds)
        self._client.set_terminated(page, {"done": "FINISHED", "failed": "FAILED"}.get(run.state, "KILLED"))
        self._closed.add(run.name)

    def _log_params(self, page: str, params: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        listed = [Param(name, readable(str(value))[:500]) for name, value in params.items()]
        if listed:
            self._client.log_batch(page, params=listed[:100])

    def _log_metrics(self, page: str, entries: list[dict[str, Any]]) -> None:
        from mlflow.entities import Metric

        points = [
            Metric(name, value, int(entry["time"] * 1000), int(entry["step"]))
            for entry in entries
            for name, value in entry["values"].items()
        ]
        for start in range(0, len(points), 1000):
            self._client.log_batch(page, metrics=points[start : start + 1000])


def git_commit() -> str:
    """Name the commit of the source, "+" when files differ from it, or "" outside a checkout."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"],
            cwd=SOURCE_ROOT, capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return described.stdout.strip()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main(sys.argv[1:]))
