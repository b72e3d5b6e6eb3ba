"""Run a pipeline here, or hand it to the cluster: the same definition, one call, and the screen while it works.

    outcome = run(make_drums, {"song": "song.wav"}, Profile.load())
    outcome.outputs, outcome.folder, outcome.report

Stages whose code, settings and inputs did not change come from the cache, so a failed run, started again, goes on from
the stage that failed. Everything the stages print is in the run's log.txt.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime
import logging
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from components.record import FOLDER, Record, StageRun
from components.report import ReportPage, write_report
from models.music.errors import StageFailed
from pipelines.screen import Screen
from pipelines.settings import Profile

UNDECIDED = ("Could not resolve", "Condition evaluation failed")
"""How kfp.local mutters that it took a gate for false because it did not find its value."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a finished run left."""

    name: str
    outputs: dict[str, Any]
    runs: list[StageRun]
    folder: Path
    report: Path
    seconds: float

    def paths(self) -> dict[str, Path]:
        """Where the outputs that are files lie."""
        return {name: Path(value.path) for name, value in self.outputs.items() if hasattr(value, "path")}


def run(
    pipeline: Any, arguments: dict[str, Any], profile: Profile, *, cached: bool = True, plain: bool = False
) -> Outcome:
    """Run a pipeline on this machine and wait; the first stage that fails is told in one line."""
    from components.scribe import Scribe

    spec = _local_spec(pipeline)
    name = spec.pipeline_info.name
    arguments = {**_from_profile(spec, profile), **arguments}
    folder = profile.runs / f"{name}-{datetime.datetime.now():%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}"
    folder.mkdir(parents=True)
    began = time.monotonic()
    watch = _Watch(profile.home, folder, _waiting_stages(spec))
    with ExitStack() as stack:
        scribe = stack.enter_context(
            Scribe(profile.mlflow_uri, name, folder.name, watch.runs, arguments, profile.artifacts_uri)
        )
        try:
            watch.screen = stack.enter_context(Screen(name, watch.runs, plain=plain))
            outputs, failure = _run_locally(spec, arguments, profile, watch, cached), None
        except RuntimeError as error:
            outputs, failure = {}, error
        seconds = time.monotonic() - began
        for waiting in (r for r in watch.runs if r.state == "waiting"):
            waiting.state = "skipped"
        links = {"folder": folder.as_uri(), "log": (folder / "log.txt").as_uri(), "MLflow": ui_command(profile)}
        report = write_report(folder / "report.html", ReportPage(name, watch.runs, seconds, _shown(arguments), links))
        scribe.attach(report)
    if failed := next((r for r in watch.runs if r.state == "failed"), None):
        raise StageFailed(f"{failed.name}: {failed.cause} [log: {folder / 'log.txt'}]") from failure
    if failure or watch.undecided:
        what = watch.undecided or " ".join(str(failure).split())
        raise StageFailed(
            f"{name}: {what}. A gate needs a stage's single return value. [log: {folder / 'log.txt'}]"
        ) from failure
    return Outcome(name, outputs, watch.runs, folder, report, seconds)


def ui_command(profile: Profile) -> str:
    """Say how to look at MLflow."""
    uri = profile.mlflow_uri or "off"
    return f"mlflow ui --backend-store-uri {uri}" if uri.startswith("sqlite:") else uri


class _Watch:
    """Hears of every stage (pipelines/kfp_local.py), keeps the rows and the log."""

    def __init__(self, home: Path, folder: Path, runs: list[StageRun]) -> None:
        self.home, self.folder, self.runs = home, folder, runs
        self.screen: Screen | None = None
        self.undecided = ""
        self._log = open(folder / "log.txt", "a", encoding="utf-8")  # noqa: SIM115 - open as long as the run
        self._lock = threading.Lock()

    def begin(self, task: str) -> StageRun:
        with self._lock:
            run = next((r for r in self.runs if r.name == task and r.state == "waiting"), None)
            if run is None:
                again = sum(r.name == task or r.name.startswith(f"{task}-") for r in self.runs) + 1
                run = StageRun(f"{task}-{again}")
                self.runs.append(run)
            run.state, run.started_s = "running", time.time()
        self._tell(run)
        return run

    def end(self, run: StageRun, outcome: Any, outputs: dict[str, Any]) -> None:
        run.state, run.seconds, run.outputs = outcome, time.time() - run.started_s, outputs
        if outcome == "cached":
            run.record = _record_beside(outputs)
        if "Output" in outputs:
            run.number = ("Output", outputs["Output"])
        elif run.record and run.record.done and run.record.done["number"]:
            run.number = tuple(run.record.done["number"])
        if run.cause:
            self.say(run, run.cause)
        self._tell(run)

    def say(self, run: StageRun, line: str) -> None:
        self.write(f"{run.name} | {line}")

    def write(self, line: str) -> None:
        with self._lock:
            self._log.write(f"{datetime.datetime.now():%H:%M:%S} {line}\n")
            self._log.flush()

    def close(self) -> None:
        self._log.close()

    def _tell(self, run: StageRun) -> None:
        if self.screen:
            self.screen.changed(run)


class _KfpLog(logging.Handler):
    """Puts what kfp logs into the run's log, and notices a gate that it could not decide."""

    def __init__(self, watch: _Watch) -> None:
        super().__init__(logging.INFO)
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        self._watch.write(f"kfp | {line}")
        if record.levelno >= logging.WARNING and line.startswith(UNDECIDED):
            self._watch.undecided = line


def _run_locally(spec: Any, arguments: dict[str, Any], profile: Profile, watch: _Watch, cached: bool) -> dict[str, Any]:
    from kfp import local
    from kfp.local import pipeline_orchestrator

    from pipelines.kfp_local import mended

    with _logged(watch), mended(watch):
        local.init(
            runner=_local_runner(profile, arguments),
            pipeline_root=str(profile.runs),
            enable_caching=cached,
            cache_root=str(profile.cache),
        )
        return pipeline_orchestrator.run_local_pipeline(spec, arguments)


@contextmanager
def _logged(watch: _Watch) -> Iterator[None]:
    root, handler = logging.getLogger(), _KfpLog(watch)
    level = root.level
    root.addHandler(handler)
    root.setLevel(min(level, logging.INFO))
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        watch.close()


def _local_runner(profile: Profile, arguments: dict[str, Any]) -> Any:
    from kfp import local

    if profile.runner == "subprocess":
        return local.SubprocessRunner(use_venv=False)
    import docker.types

    paths = {str(Path(p).absolute()) for v in arguments.values() if (p := getattr(v, "path", v)) and isinstance(p, str)}
    mounts = [
        docker.types.Mount(path, path, type="bind", read_only=True) for path in sorted(paths) if Path(path).exists()
    ]
    return local.DockerRunner(
        mounts=mounts, network_mode="none", cap_drop=["ALL"], security_opt=["no-new-privileges"], init=True
    )


def _local_spec(pipeline: Any) -> Any:
    """Copy the compiled pipeline without what a laptop cannot honour and kfp would warn of."""
    spec = copy.deepcopy(pipeline.pipeline_spec)
    for executor in spec.deployment_spec["executors"].values():
        if "container" in executor:
            executor["container"].fields.pop("resources", None)
    return spec


def _waiting_stages(spec: Any) -> list[StageRun]:
    """List the stages in the order they will run, those inside gates and loops included."""
    from kfp.local import graph_utils

    def walk(dag: Any) -> Iterator[StageRun]:
        stack = graph_utils.topological_sort_tasks(dag.tasks)
        while stack:
            task = stack.pop()
            inner = spec.components[dag.tasks[task].component_ref.name]
            if inner.WhichOneof("implementation") == "dag":
                yield from walk(inner.dag)
            else:
                yield StageRun(task)

    return list(walk(spec.root.dag))


def _from_profile(spec: Any, profile: Profile) -> dict[str, str]:
    """Answer the parameters that a pipeline leaves to the profile: those of a known name whose default is empty."""
    known = profile.for_stages()
    inputs = spec.root.input_definitions.parameters
    return {name: known[name] for name in inputs if name in known and not inputs[name].default_value.string_value}


def _record_beside(outputs: dict[str, Any]) -> Record | None:
    """Find what a cached stage logged when it ran."""
    for value in outputs.values():
        path = getattr(value, "path", None)
        if path and (Path(path).parent / FOLDER).is_dir():
            return Record(Path(path).parent / FOLDER)
    return None


def _shown(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(value, "path", value) for name, value in arguments.items()}
