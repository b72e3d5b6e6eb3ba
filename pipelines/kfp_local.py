"""kfp.local (2.17), told to report and mended where it differs from the real backend.

    with mended(listener): pipeline_orchestrator.run_local_pipeline(spec, arguments)

What is replaced while the block runs, and why:
 1 task_executor.execute_single_task        every stage's start and end reach the listener
 2 task_dispatcher.run_single_task_impl…    each attempt gets a folder of its own (iterations of a ParallelFor would share
                                            one and overwrite each other); success needs the stage's done.json
 3 subprocess_task_handler.run_local_…      output goes to the log, our source comes first on the path, nothing is orphaned
 4 subprocess_task_handler.replace_python_e…  "python3" in a path of the user's is no program to be replaced
 5 docker_task_handler.run_docker_container no pull, no container removed before its exit status was read, and only a stage
                                            that was told of registry, server or an address reaches out of it
 6 cache.LocalCache                         an input that lies outside the runs folder counts by its content's state
 7 logging_utils                            kfp's own printing patches builtins and root handlers from several threads

Values pass through it quoted (backstage/quoting.py); the listener hears them as they are. Of an attempt that failed the
record stays, and nothing else: no later stage can use it.
"""

from __future__ import annotations

import contextlib
import contextvars
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from kfp import dsl
from kfp.local import cache, logging_utils, status, subprocess_task_handler, task_dispatcher
from kfp.local.orchestrator import task_executor

from backstage.keys import DOOR
from backstage.pipeline_run import StageRun
from backstage.quoting import unquoted
from backstage.record import FOLDER, Record
from models.music.errors import StageFailed
from models.music.files import MANIFEST, sha256
from models.music.locks import lives
from pipelines.leftovers import keep_record
from pipelines.processes import no_orphans, run_process, stage_environment
from serving.where import Where


class Listener(Protocol):
    """Who wants to know how the stages do."""

    home: Path
    """What lies below it is ours and never changes once written; any other file counts by its state."""
    folder: Path
    """Where this run keeps the outputs of its stages."""

    def begin(self, task: str) -> StageRun: ...
    def works(self, stage: StageRun) -> None: ...
    def end(self, stage: StageRun, outcome: str, outputs: dict[str, Any]) -> None: ...
    def say(self, stage: StageRun, line: str) -> None: ...


RUNNER = "jamflow.runner"
"""The label of a container that tells whose it is."""
_current: contextvars.ContextVar[StageRun] = contextvars.ContextVar("current")


@contextlib.contextmanager
def mended(listener: Listener) -> Iterator[None]:
    """Run local pipelines so that the listener hears of every stage."""
    with contextlib.ExitStack() as stack:
        for place, name, replacement in _mendings(listener):
            stack.callback(setattr, place, name, getattr(place, name))
            setattr(place, name, replacement)
        stack.enter_context(no_orphans())
        yield


def _mendings(listener: Listener) -> list[tuple[Any, str, Any]]:
    mendings: list[tuple[Any, str, Any]] = [
        (task_executor, "execute_single_task", _reported(task_executor.execute_single_task, listener)),
        (
            task_dispatcher,
            "run_single_task_implementation",
            _attempt(task_dispatcher.run_single_task_implementation, listener),
        ),
        (subprocess_task_handler, "run_local_subprocess", _subprocess(listener)),
        (subprocess_task_handler, "replace_python_executable", _program_replaced),
        (cache, "LocalCache", _content_cache(listener)),
        (logging_utils, "local_logger_context", contextlib.nullcontext),
        (logging_utils, "indented_print", contextlib.nullcontext),
        (logging_utils, "print_horizontal_line", lambda: None),
    ]
    with contextlib.suppress(ImportError):
        from kfp.local import docker_task_handler

        mendings.append((docker_task_handler, "run_docker_container", _container(listener)))
    return mendings


def _reported(original: Callable[..., Any], listener: Listener) -> Callable[..., Any]:
    def execute_single_task(task_name: str, **rest: Any) -> Any:
        run = listener.begin(task_name)
        token = _current.set(run)
        try:
            outputs, outcome = original(task_name=task_name, **rest)
        except Exception as error:
            run.cause = run.cause or " ".join(str(error).split())
            listener.end(run, "failed", {})
            raise
        finally:
            _current.reset(token)
        worked = run.record is not None  # no attempt was made: the cache knew the answer
        good = ("done" if worked else "cached") if outcome == status.Status.SUCCESS else "failed"
        listener.end(run, good, unquoted(outputs))
        return outputs, outcome

    return execute_single_task


def _attempt(original: Callable[..., Any], listener: Listener) -> Callable[..., Any]:
    attempts: dict[str, int] = {}

    def run_single_task_implementation(**given: Any) -> Any:
        run = _current.get()
        attempts[run.name] = attempts.get(run.name, 0) + 1
        again = f"-attempt-{attempts[run.name]}" if attempts[run.name] > 1 else ""
        given["pipeline_resource_name"] = f"{listener.folder.name}/{run.name}{again}"
        component = given["component_name"].removeprefix("comp-")
        folder = Path(given["pipeline_root"], given["pipeline_resource_name"], component)
        (folder / FOLDER).mkdir(parents=True)
        run.record, run.cause = Record(folder / FOLDER), None
        run.image = given["executor_spec"].container.image
        run.params = {n: unquoted(value) for n, value in given["arguments"].items() if not _is_artifact(value)}
        listener.works(run)
        with contextlib.ExitStack() as failed:
            failed.callback(keep_record, run)
            outputs, outcome = original(**given)
            if outcome == status.Status.SUCCESS:
                failed.pop_all()
        if outcome == status.Status.SUCCESS and run.record.done is None:
            outputs, outcome = {}, status.Status.FAILURE
            run.cause = "it ended without proof of success (no done.json). Its log tells how far it came."
        elif outcome == status.Status.FAILURE:
            cause = run.record.cause or run.cause or "it ended without a word. Its log tells how far it came."
            run.cause = _as_named(cause, given["arguments"], listener.home)
        return outputs, outcome

    return run_single_task_implementation


def _as_named(cause: str, arguments: dict[str, Any], home: Path) -> str:
    """Call what a stage was given by its name; where we keep it tells the user nothing."""
    for name, value in arguments.items():
        for artifact in value if isinstance(value, list) else [value]:
            if isinstance(artifact, dsl.Artifact) and Path(artifact.uri).is_relative_to(home):
                cause = cause.replace(artifact.uri, name)
    return cause


def _is_artifact(value: Any) -> bool:
    return isinstance(value, dsl.Artifact) or (
        isinstance(value, list) and any(isinstance(v, dsl.Artifact) for v in value)
    )


def _subprocess(listener: Listener) -> Callable[..., int]:
    def run_local_subprocess(full_command: list[str], env_vars: dict[str, str] | None = None) -> int:
        run = _current.get()
        ended = run_process(full_command, stage_environment() | (env_vars or {}), lambda line: listener.say(run, line))
        run.cause = ended.cause
        return ended.code

    return run_local_subprocess


def _program_replaced(full_command: list[str], executable: str) -> list[str]:
    """Run the stage's own script by this interpreter; the values that follow it are left as they are."""
    return [part.replace("python3", executable) if DOOR in part else part for part in full_command]


def _container(listener: Listener) -> Callable[..., int]:
    def run_docker_container(
        client: Any, image: str, command: list[str], volumes: dict[str, Any], **arguments: Any
    ) -> int:
        import docker.errors

        run = _current.get()
        try:
            client.images.get(image)
        except docker.errors.ImageNotFound as error:
            raise StageFailed(f"{image} is not on this engine. Build it with `make images`.") from error
        sweep_containers(client)
        arguments = _opened(arguments, run.params) | {"labels": {RUNNER: str(os.getpid())}, "detach": True}
        container = client.containers.create(image=image, command=command, volumes=volumes, **arguments)
        try:
            container.start()
            for chunk in container.logs(stream=True, follow=True):
                listener.say(run, chunk.decode(errors="replace").rstrip("\n"))
            return container.wait()["StatusCode"]
        finally:
            with contextlib.suppress(docker.errors.NotFound):
                container.remove(force=True, v=True)

    return run_docker_container


def sweep_containers(client: Any) -> None:
    """Remove the containers whose runner was killed: an engine's own go on without us."""
    for container in client.containers.list(all=True, filters={"label": RUNNER}):
        if not lives(int(container.labels[RUNNER])):
            container.remove(force=True, v=True)


def _opened(arguments: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """Open a container as far as its stage was told to reach: registry and server on loopback, their folders, an address."""
    import docker.types

    where = Where.told(params["where"]) if params.get("where") else None
    if where is None and not any(isinstance(value, str) and "://" in value for value in params.values()):
        return arguments
    folders = [folder for folder in where.folders() if folder.exists()] if where else []
    mounts = [docker.types.Mount(str(folder), str(folder), type="bind") for folder in folders]
    return {**arguments, "network_mode": "host", "mounts": [*arguments.get("mounts", []), *mounts]}


def _content_cache(listener: Listener) -> type[cache.LocalCache]:
    class ContentCache(cache.LocalCache):
        """A cache that notices when a file behind a path has changed."""

        def compute_key(self, *args: Any, arguments: dict[str, Any], **rest: Any) -> str:
            states = {name: _state_of(unquoted(value), listener.home) for name, value in arguments.items()}
            known = {f"{name} on disk": state for name, state in states.items() if state}
            return super().compute_key(*args, arguments={**arguments, **known}, **rest)

    return ContentCache


def _state_of(value: Any, home: Path) -> str | None:
    """Digest what a path of the user's holds: the manifest of a finished folder, else names, sizes and times."""
    where = value.uri if isinstance(value, dsl.Artifact) else value
    if not isinstance(where, str) or not where or len(where) > 4096 or "\0" in where:
        return None
    path = Path(where.removeprefix("file://")).expanduser()
    with contextlib.suppress(OSError):
        if path.is_relative_to(home) or not path.exists():
            return None
        if (path / MANIFEST).is_file():
            return sha256(path / MANIFEST)
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        lines = (f"{f.relative_to(path)} {(s := f.stat()).st_size} {s.st_mtime_ns}\n" for f in files if f.is_file())
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    return None
