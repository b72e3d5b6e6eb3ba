"""What a stage says while it works: numbers, pictures, sounds and sentences, written to its record.

    from backstage.tracking import log_metrics, log_picture, log_audio

    log_metrics({"loss": 0.12}, step=400)
    log_metrics({"timing_mae_ms": 19.2}, figures=FIGURES, beside={"champion": {"timing_mae_ms": 19.5}})
    log_picture("loss", "loss.png")
    log_audio("groove", "groove.wav")

A record is a folder of plain files (backstage/record.py reads it), so a stage needs no MLflow and no network. Whoever
runs the stage copies the record to MLflow (backstage/scribe.py) and into the report while it grows. With no record
open every call does nothing: the same function runs in a test, a notebook or a pipeline.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from models.music.figures import Figure

JOURNAL = "journal.jsonl"
SYSTEM_EVERY_S = 10.0
_open_record: Path | None = None
_declared: set[str] = set()
"""The figures that the open record knows already."""
_writing = threading.Lock()


def log_metrics(
    values: Mapping[str, float],
    step: int = 0,
    figures: Mapping[str, Figure] | None = None,
    beside: Mapping[str, Mapping[str, float]] | None = None,
) -> None:
    """Note numbers, the most telling one first: it is shown in the table of stages.

    `figures` say what they are called and which way is better (each is noted once); `beside` holds the same numbers of
    whoever they are to be compared with: {"champion": {...}, "drum mean": {...}}.
    """
    new = {name: vars(figure) for name, figure in (figures or {}).items() if name in values and name not in _declared}
    if new:
        _declared.update(new)
        _note("figures", values=new)
    _note("metrics", step=int(step), values=_floats(values))
    for who, theirs in (beside or {}).items():
        _note("beside", who=who, values=_floats({name: theirs[name] for name in values if name in theirs}))


def log_picture(name: str, path: str | os.PathLike[str]) -> None:
    """Keep a picture (PNG) under a name that serves as its caption."""
    _keep("picture", name, Path(path))


def log_audio(name: str, path: str | os.PathLike[str]) -> None:
    """Keep a sound file; the report plays it."""
    _keep("audio", name, Path(path))


def log_note(sentence: str) -> None:
    """Note one sentence that whoever ran the stage should read: report and command show it."""
    _note("note", text=sentence)


def log_tags(values: Mapping[str, str]) -> None:
    """Note where things came from: digests, versions."""
    _note("tags", values={name: str(value) for name, value in values.items()})


@contextlib.contextmanager
def recording(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Open a record for everything this process logs until the block ends, and watch the machine meanwhile."""
    global _open_record
    folder = Path(folder)
    _declared.clear()
    folder.mkdir(parents=True, exist_ok=True)
    before, _open_record = _open_record, folder
    done = threading.Event()
    watcher = threading.Thread(target=_watch_machine, args=(done,), daemon=True)
    watcher.start()
    try:
        yield folder
    finally:
        done.set()
        watcher.join()
        _open_record = before


def _floats(values: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}


def _note(kind: str, **entry: Any) -> None:
    if _open_record is not None:
        line = json.dumps({"kind": kind, "time": time.time(), **entry}, ensure_ascii=False) + "\n"
        with _writing, open(_open_record / JOURNAL, "a", encoding="utf-8", errors="backslashreplace") as journal:
            journal.write(line)


def _keep(kind: str, name: str, path: Path) -> None:
    if _open_record is None:
        return
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in name).strip(".") or kind
    kept = f"{kind}-{safe}{path.suffix.lower()}"
    shutil.copyfile(path, _open_record / kept)
    _note(kind, name=name, file=kept)


def _watch_machine(done: threading.Event) -> None:
    """Sample processor and memory now and then, under MLflow's own names for system metrics."""
    try:
        import psutil
    except ImportError:
        return
    process, step = psutil.Process(), 0
    process.cpu_percent()
    while True:
        finished = done.wait(SYSTEM_EVERY_S)
        values = {
            "system/cpu_utilization_percentage": process.cpu_percent(),
            "system/process_memory_megabytes": process.memory_info().rss / 2**20,
            "system/system_memory_usage_percentage": psutil.virtual_memory().percent,
        }
        _note("system", step=step, values=values)
        step += 1
        if finished:
            return
