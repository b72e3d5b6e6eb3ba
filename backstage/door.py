"""The door every stage goes through, on a laptop, in a container and on a cluster.

    python3 -m backstage.door kfp.dsl.executor_main --executor_input {...} --function_to_execute slice_hits ...

It runs KFP's executor and leaves, in the stage's own folder, a record (what it logged), `done.json` when it went well,
or `cause.txt` with one line when it did not. A runner believes done.json, never an exit code alone. Values come in and
go out quoted (backstage/quoting.py). A runner of this machine that dies takes the stage and all it started with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backstage import record, tracking
from backstage.quoting import quoted, unquoted
from models.music.errors import JamflowError
from models.music.files import MANIFEST, digest_of_folder, sha256, write_json, write_text

TRACK_TO = "JAMFLOW_TRACK_TO"
"""Set in pods only: no runner reads their records, so the door itself copies them to this MLflow server."""

MOST_WORDS = 2000
LIFELINE = "JAMFLOW_LIFELINE"
"""Number of a pipe's end on which nothing ever comes: the runner holds the other end, and its death closes it."""


def main(argv: list[str]) -> int:
    if lifeline := os.environ.pop(LIFELINE, ""):
        threading.Thread(target=_end_with_runner, args=(int(lifeline),), daemon=True).start()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] - a name that is not UTF-8 can be said
    from kfp.dsl.executor_main import executor_main

    place = argv.index("--executor_input") + 1
    told = json.loads(argv[place])
    told["inputs"] = unquoted(told.get("inputs", {}))
    argv[place] = json.dumps(told)
    stage = argv[argv.index("--function_to_execute") + 1].replace("_", "-")
    folder = record_folder(told)
    started = time.monotonic()
    with _scribe_in_pod(stage, folder), tracking.recording(folder):
        try:
            _note_inputs(told)
            sys.argv = argv
            executor_main()
            _quote_outputs(told)
            _make_missing_outputs(told)
        except BaseException as error:
            traceback.print_exc(file=sys.stdout)
            write_text(folder / record.CAUSE, cause_of(error) + "\n")
            print(cause_of(error), file=sys.stderr)
            return 1
        number = next(iter(record.Record(folder).metrics().items()), None)
        write_json(folder / record.DONE, {"seconds": round(time.monotonic() - started, 3), "number": number})
    return 0


def _end_with_runner(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)


def record_folder(told: dict[str, Any]) -> Path:
    """Keep the record beside the stage's outputs, or in a temporary folder where that is not ours to write."""
    beside = Path(told["outputs"]["outputFile"]).parent
    with contextlib.suppress(OSError):
        (beside / record.FOLDER).mkdir(parents=True, exist_ok=True)
        return beside / record.FOLDER
    return Path(tempfile.mkdtemp(prefix="record-"))


def cause_of(error: BaseException) -> str:
    """Say in one line why a stage failed: our own errors speak for themselves, others name their place."""
    words = " ".join(str(error).split())[:MOST_WORDS]
    if isinstance(error, JamflowError):
        return words
    if isinstance(error, KeyboardInterrupt) or (isinstance(error, SystemExit) and error.code == 128 + signal.SIGTERM):
        return "stopped."
    if isinstance(error, MemoryError):
        return "out of memory. Give the stage less at once, or a machine with more."
    frames = traceback.extract_tb(error.__traceback__)
    ours = next((f for f in reversed(frames) if "site-packages" not in f.filename and "<" not in f.filename), None)
    place = f" ({Path(ours.filename).name}:{ours.lineno})" if ours else ""
    return f"{type(error).__name__}: {words or 'no message'}{place}"


def _note_inputs(told: dict[str, Any]) -> None:
    """Note the digest of every artifact that came in, so that a run names its data exactly."""
    for name, listed in told.get("inputs", {}).get("artifacts", {}).items():
        paths = [Path(artifact["uri"]) for artifact in listed.get("artifacts", [])]
        digests = [_digest(path) for path in paths if path.exists()]
        if digests:
            tracking.log_tags({f"data.{name}": ",".join(digests)})


def _digest(path: Path) -> str:
    return sha256(path / MANIFEST) if (path / MANIFEST).is_file() else digest_of_folder(path)


def _quote_outputs(told: dict[str, Any]) -> None:
    """What a stage returns goes on through KFP to the next one."""
    file = Path(told["outputs"]["outputFile"])
    if file.is_file():
        said = json.loads(file.read_text(encoding="utf-8"))
        if said != quoted(said):
            write_json(file, quoted(said))


def _make_missing_outputs(told: dict[str, Any]) -> None:
    """An output that was never written (metrics, mostly) would make KFP's cache miss for ever: write it, empty."""
    for listed in told["outputs"].get("artifacts", {}).values():
        for artifact in listed.get("artifacts", []):
            path = Path(artifact["uri"])
            if path.is_absolute() and not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()


@contextlib.contextmanager
def _scribe_in_pod(stage: str, folder: Path) -> Iterator[None]:
    server = os.environ.get(TRACK_TO)
    if not server:
        yield
        return
    from backstage.pipeline_run import PipelineRun, StageRun
    from backstage.scribe import start_scribe

    left, began = record.Record(folder), time.time()
    alone = StageRun(stage, "running", began, image=os.environ.get("JAMFLOW_IMAGE", ""), record=left)
    run = PipelineRun(
        os.environ.get("JAMFLOW_EXPERIMENT", stage), os.environ.get("JAMFLOW_RUN", stage), [alone], began_s=began
    )
    run.save(folder)
    scribe = start_scribe(folder, server)
    try:
        yield
    finally:
        alone.seconds, alone.cause = time.time() - began, left.cause
        alone.state = run.state = "done" if left.done else "failed"
        run.save(folder)
        scribe.wait(timeout=60)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
