"""A stage as a process: its words to the log, nothing it started outlives it, nor it us.

Ctrl-C or a plain kill asks it to end, as a pod is asked: a training saves its step first. The second time it ends at once.

with no_orphans():
    ended = run_process(command, environment, say=print)
    ended.code, ended.cause
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from backstage.door import LIFELINE
from backstage.source import SOURCE_ROOT
from serving.scratch import scratch

PATIENCE_S = 30.0
"""For a stage that was asked to end: as long as a pod has."""
AT_ONCE_S = 0.2
NOTICE = b"jamflow: stopping once the stage has saved where it is; once more stops at once\n"
_living: dict[int, threading.Thread] = {}
"""Process groups, and who listens to each for as long as anything of it lives."""
_stopping = threading.Event()


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    cause: str | None = None
    """What its exit code alone tells, if anything."""


def run_process(command: Sequence[str], environment: Mapping[str, str], say: Callable[[str], None]) -> Ended:
    """Run a command to its end, then end whatever it left behind, and sweep its scratch folder.

    It holds one end of a pipe and we the other, so it notices when we are killed (backstage/door.py).
    """
    with scratch("stage", Path(tempfile.gettempdir())) as passing, _lifeline() as lifeline:
        told = {**environment, "TMPDIR": str(passing), LIFELINE: str(lifeline)}
        return _run(command, told, lifeline, say)


def _run(command: Sequence[str], environment: Mapping[str, str], lifeline: int, say: Callable[[str], None]) -> Ended:
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        bufsize=1,
        env=dict(environment),
        pass_fds=[lifeline],
        start_new_session=True,
    )
    listener = threading.Thread(target=_listen, args=(process.stdout, say), daemon=True)
    listener.start()
    _living[process.pid] = listener
    try:
        code = process.wait()
        if _stopping.is_set():
            listener.join(PATIENCE_S)  # the shell that started the stage has nothing to save, the stage may have
    finally:
        _end(process.pid)  # a helper that holds the pipe open would keep us waiting for its end
        process.wait()
        del _living[process.pid]
        listener.join()
    number = -code if code < 0 else code - 128
    if number <= 0:
        return Ended(code)
    if _stopping.is_set():
        return Ended(code, "stopped.")
    return Ended(
        code, f"killed by signal {number}" + (" (out of memory, perhaps)." if number == signal.SIGKILL else ".")
    )


@contextlib.contextmanager
def no_orphans() -> Iterator[None]:
    """End the running processes on Ctrl-C or a plain kill: kfp would wait for those that run in its threads."""

    def stop(number: int, _: Any) -> None:
        if not _stopping.is_set():
            _stopping.set()
            _ask_to_end(dict(_living))
        for group in list(_living):
            _end(group)
        raise KeyboardInterrupt(f"signal {number}")

    _stopping.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stage_environment() -> dict[str, str]:
    """Give a stage this interpreter and this source, whatever folder it is started in."""
    path = [str(SOURCE_ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join(part for part in path if part),
        "PYTHONSAFEPATH": "1",  # a folder named models/ where the user stands must not hide ours
        "PYTHONUNBUFFERED": "1",
    }


@contextlib.contextmanager
def _lifeline() -> Iterator[int]:
    """Give the end of a pipe that closes with this process."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


def _listen(said: IO[str] | None, say: Callable[[str], None]) -> None:
    assert said is not None, "it was opened as a pipe"
    with said:
        for line in said:
            say(line.rstrip("\n"))


def _ask_to_end(stages: Mapping[int, threading.Thread]) -> None:
    """Ask processes to end, and give those time that have something to save."""
    for group in stages:
        _end(group, signal.SIGTERM)
    end = time.monotonic() + PATIENCE_S
    for listener in stages.values():
        listener.join(AT_ONCE_S)
    if any(listener.is_alive() for listener in stages.values()):
        os.write(2, NOTICE)
    for listener in stages.values():
        listener.join(max(0.0, end - time.monotonic()))


def _end(group: int, how: int = signal.SIGKILL) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, how)
