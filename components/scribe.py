"""Copies records to MLflow while they grow: one run for the pipeline, one nested below it for every stage.

    with Scribe("sqlite:///mlflow.db", "make-drums", "run 7", stage_runs, parameters, artifacts) as scribe:
        ...                                     # stages run, in processes that know nothing of MLflow
        scribe.attach(report)

One thread in one process writes, so stages that run side by side never meet in the database. Nothing is opened before
a stage truly runs: a run answered by the cache alone costs no MLflow at all. Trouble with MLflow is told, and stops
nothing.
"""

from __future__ import annotations

import contextlib
import logging
import subprocess
import threading
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.record import StageRun
from components.source import SOURCE_ROOT, source_digest

log = logging.getLogger(__name__)
EVERY_S = 1.5


class Scribe:
    """Keeps MLflow up to date with a list of stage runs until its block ends."""

    def __init__(
        self,
        tracking_uri: str | None,
        experiment: str,
        name: str,
        runs: list[StageRun],
        params: Mapping[str, Any] | None = None,
        artifacts_uri: str | None = None,
    ) -> None:
        self._uri, self._experiment, self._name = tracking_uri, experiment, name
        self._runs, self._params, self._artifacts_uri = runs, dict(params or {}), artifacts_uri
        self._attached: list[Path] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="scribe", daemon=True)

    def __enter__(self) -> Scribe:
        if self._uri:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._uri:
            self._thread.join()

    def attach(self, path: Path) -> None:
        """Keep a file with the pipeline's own run when the block ends."""
        self._attached.append(path)

    def _work(self) -> None:
        while not self._stop.wait(0.05) and not self._something_ran():
            pass
        if not self._something_ran():
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                book = _Book(self._uri or "", self._experiment, self._artifacts_uri)
                book.open(self._name, self._params)
                last = False
                while not last:
                    last = self._stop.wait(EVERY_S)
                    for run in [r for r in self._runs if r.record is not None and r.state != "cached"]:
                        book.copy(run)
                book.close(self._runs, self._attached)
        except Exception as error:  # whatever MLflow raises, the music goes on
            log.warning("not tracked in MLflow (%s): %s", self._uri, " ".join(str(error).split()))

    def _something_ran(self) -> bool:
        return any(run.record is not None and run.state != "cached" for run in self._runs)


class _Book:
    """The pages of one pipeline run in MLflow."""

    def __init__(self, uri: str, experiment: str, artifacts_uri: str | None) -> None:
        self._client = open_mlflow(uri)
        found = self._client.get_experiment_by_name(experiment)
        where = f"{artifacts_uri.rstrip('/')}/{experiment}" if artifacts_uri and uri.startswith("sqlite:") else None
        self._experiment = found.experiment_id if found else self._client.create_experiment(experiment, where)
        self._parent = ""
        self._pages: dict[str, tuple[str, int]] = {}
        self._closed: set[str] = set()

    def open(self, name: str, params: Mapping[str, Any]) -> None:
        tags = {"mlflow.runName": name, "mlflow.source.git.commit": git_commit(), "source.digest": source_digest()}
        self._parent = self._client.create_run(self._experiment, tags=tags).info.run_id
        self._log_params(self._parent, params)

    def copy(self, run: StageRun) -> None:
        """Copy what a stage's record gained since the last time; close the page of a finished one."""
        if run.name in self._closed or run.record is None:
            return
        finished = run.finished
        if run.name not in self._pages:
            self._pages[run.name] = (self._open_page(run), 0)
        page, position = self._pages[run.name]
        entries, position = run.record.entries(position)
        self._pages[run.name] = (page, position)
        self._log_metrics(page, [e for e in entries if e["kind"] in ("metrics", "system")])
        for entry in entries:
            if entry["kind"] in ("tags", "params"):
                for key, value in entry["values"].items():
                    if entry["kind"] == "tags":
                        self._client.set_tag(page, key, value)
                    else:
                        self._client.log_param(page, key, value[:500])
            elif entry["kind"] in ("picture", "audio", "page"):
                self._client.log_artifact(page, str(run.record.folder / entry["file"]), f"{entry['kind']}s")
        if finished:
            self._close_page(run, page)

    def close(self, runs: list[StageRun], attached: list[Path]) -> None:
        for path in attached:
            self._client.log_artifact(self._parent, str(path))
        failed = any(run.state == "failed" for run in runs)
        self._client.set_tag(self._parent, "stages.cached", ",".join(r.name for r in runs if r.state == "cached"))
        self._client.set_terminated(self._parent, "FAILED" if failed else "FINISHED")

    def _open_page(self, run: StageRun) -> str:
        tags = {
            "mlflow.runName": run.name,
            "mlflow.parentRunId": self._parent,
            "mlflow.source.git.commit": git_commit(),
            "image": run.image,
            "source.digest": source_digest(),
        }
        page = self._client.create_run(self._experiment, int(run.started_s * 1000), tags).info.run_id
        self._log_params(page, run.params)
        return page

    def _close_page(self, run: StageRun, page: str) -> None:
        if run.cause:
            self._client.set_tag(page, "cause", run.cause[:5000])
        self._client.log_metric(page, "seconds", run.seconds)
        self._client.set_terminated(page, "FINISHED" if run.state == "done" else "FAILED")
        self._closed.add(run.name)

    def _log_params(self, page: str, params: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        listed = [Param(name, str(getattr(value, "path", value))[:500]) for name, value in params.items()]
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


def open_mlflow(uri: str) -> Any:
    """Open MLflow; a SQLite store is made under a lock, since two processes making it at once break it."""
    import mlflow

    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    with _sole_maker(uri):
        client = mlflow.MlflowClient(uri, uri)
        client.search_experiments(max_results=1)
    return client


@contextlib.contextmanager
def _sole_maker(uri: str):
    if not uri.startswith("sqlite:///"):
        yield
        return
    import fcntl

    database = Path(uri.removeprefix("sqlite:///"))
    database.parent.mkdir(parents=True, exist_ok=True)
    with open(database.with_name(f".{database.name}.lock"), "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


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
