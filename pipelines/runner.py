"""Run a pipeline here, or hand it to the cluster: the same definition, one call, and the screen while it works.

    outcome = run(make_drums, {"song": "song.wav"}, Profile.load())
    outcome.outputs, outcome.report, outcome.run.stages

Stages whose code, settings and inputs did not change come from the cache, so a failed run, started again, goes on from
the stage that failed. Everything the stages print is in the run's log.txt.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime
import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backstage.pipeline_run import PipelineRun, StageRun
from backstage.quoting import quoted, unquoted
from models.music.errors import JamflowError, StageFailed, StorageError
from models.music.figures import spoken
from pipelines.leftovers import sweep_killed
from pipelines.screen import Screen
from pipelines.settings import Profile
from pipelines.watch import LOG, Watch

WHERE = "where"
"""The parameter in which stages that need registry, server or checkpoints are told where those are."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a finished run left."""

    run: PipelineRun
    outputs: dict[str, Any]
    makers: dict[str, str]
    """Which stage made each output that is no file."""
    folder: Path
    report: Path
    scribe: subprocess.Popen[bytes] | None
    """Still copying to MLflow for a moment; None when no stage worked or tracking is off."""

    def results(self) -> dict[str, str]:
        """Say what came back that is no file, the way the stage that made it is told."""
        told = {stage.name: stage.number_text() for stage in self.run.stages}
        values = {name: value for name, value in self.outputs.items() if not hasattr(value, "path")}
        return {name: told.get(self.makers.get(name, "")) or spoken(value) for name, value in values.items()}

    def notes(self) -> list[str]:
        """What the stages want read, each sentence once."""
        left = [stage.record for stage in self.run.stages if stage.record]
        return list(dict.fromkeys(note["text"] for record in left for note in record.of_kind("note")))

    def paths(self) -> dict[str, Path]:
        """Where the outputs that are files lie."""
        return {name: Path(value.path) for name, value in self.outputs.items() if hasattr(value, "path")}


def run(
    pipeline: Any, arguments: dict[str, Any], profile: Profile, *, cached: bool = True, plain: bool = False
) -> Outcome:
    """Run a pipeline on this machine and wait; the first stage that fails is told in one line."""
    spec = _local_spec(pipeline)
    name = spec.pipeline_info.name
    if WHERE in spec.root.input_definitions.parameters:
        arguments = {WHERE: dataclasses.asdict(profile.where), **arguments}
    now = datetime.datetime.now()
    folder = profile.runs / f"{name}-{now:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}"
    _prepare(folder, profile)
    this = PipelineRun(name, folder.name, _waiting_stages(spec), arguments, began_s=now.timestamp())
    watch, outputs, trouble = Watch(this, folder, profile), {}, None
    try:
        with Screen(name, this.stages, plain=plain) as watch.screen:
            outputs = _run_locally(spec, arguments, profile, watch, cached)
    except (RuntimeError, JamflowError) as error:
        trouble = error
    finally:
        report = watch.finish(outputs)
    if this.failed:
        raise StageFailed(f"{this.failed.name}: {this.failed.cause} [log: {folder / LOG}]") from trouble
    if trouble or watch.undecided:
        what = watch.undecided or " ".join(str(trouble).split())
        raise StageFailed(
            f"{name}: {what}. A gate needs a stage's single return value. [log: {folder / LOG}]"
        ) from trouble
    return Outcome(this, outputs, _makers(spec), folder, report, watch.scribe)


def _prepare(folder: Path, profile: Profile) -> None:
    """Make a run's folder, after sweeping what runs that were killed have left half written."""
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise StorageError(
            f"{profile.home}: cannot be written ({error.strerror}). Set JAMFLOW_HOME to a folder that you may write to."
        ) from error
    sweep_killed(profile)


def _run_locally(spec: Any, arguments: dict[str, Any], profile: Profile, watch: Watch, cached: bool) -> dict[str, Any]:
    from kfp import local
    from kfp.local import pipeline_orchestrator

    from pipelines.kfp_local import mended

    with watch.listening(), mended(watch):
        local.init(
            runner=_local_runner(profile, arguments),
            pipeline_root=str(profile.runs),
            enable_caching=cached,
            cache_root=str(profile.cache),
        )
        return unquoted(pipeline_orchestrator.run_local_pipeline(spec, quoted(arguments)))


def _local_runner(profile: Profile, arguments: dict[str, Any]) -> Any:
    from kfp import local

    if profile.runner == "subprocess":
        return local.SubprocessRunner(use_venv=False)
    import docker.types

    given = {str(Path(p).absolute()) for v in arguments.values() if isinstance(p := getattr(v, "path", v), str) and p}
    seen = [path for path in sorted(given) if Path(path).exists() and not Path(path).is_relative_to(profile.home)]
    mounts = [docker.types.Mount(path, path, type="bind", read_only=True) for path in seen]
    return local.DockerRunner(
        mounts=mounts,
        user=f"{os.getuid()}:{os.getgid()}",  # what a stage writes belongs to whoever ran it
        environment={"USER": "jamflow"},
        network_mode="none",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        init=True,
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
                returned = inner.output_definitions.parameters
                yield StageRun(task, returns=returned["Output"].description if "Output" in returned else "")

    return list(walk(spec.root.dag))


def _makers(spec: Any) -> dict[str, str]:
    """Name the stage behind every output of a pipeline that is a stage's one return value."""
    given = spec.root.dag.outputs.parameters
    returned = {name: given[name].value_from_parameter for name in given}
    return {name: one.producer_subtask for name, one in returned.items() if one.output_parameter_key == "Output"}
