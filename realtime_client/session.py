"""The session that runs on this machine: a small file that says where its processes listen.

with announced(Running(stage, os.getpid(), settings)): ...      # while it lasts
running = running_session()                                     # None where none runs
remember(offset_ms=-12.0); remembered()                         # {"offset_ms": -12.0}
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from models.music.errors import JamflowError, Refused
from realtime_client.messages import Stage
from realtime_client.settings import JamSettings

MEASURED = "measured.json"


class Running(NamedTuple):
    """A session that others can talk to."""

    stage: Stage
    pid: int
    """Of main."""
    settings: JamSettings = JamSettings()
    """With which it began."""


def jam_home() -> Path:
    """Where sessions are kept."""
    return Path(os.environ.get("JAMFLOW_HOME") or "~/.jamflow").expanduser().absolute() / "jam"


def sessions() -> Path:
    """Where recordings go that name no folder."""
    return jam_home() / "sessions"


def session_file() -> Path:
    return jam_home() / "session.json"


def remembered() -> dict[str, float]:
    """Settings that were measured on this machine."""
    try:
        kept = json.loads((jam_home() / MEASURED).read_text(encoding="utf-8"))
        return {"offset_ms": float(kept["offset_ms"])}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def remember(offset_ms: float) -> None:
    """Keep what was measured, for every session to come."""
    jam_home().mkdir(parents=True, exist_ok=True)
    (jam_home() / MEASURED).write_text(json.dumps({"offset_ms": offset_ms}), encoding="utf-8")


def running_session() -> Running | None:
    """The session that runs, if one does: its main holds the port that the file names."""
    try:
        stage, pid, settings = json.loads(session_file().read_text(encoding="utf-8"))
        running = Running(Stage.read(stage), int(pid), JamSettings.read(settings))
    except (OSError, ValueError, TypeError, JamflowError):
        return None
    return running if _is_taken(running.stage) else None


@contextlib.contextmanager
def announced(running: Running) -> Iterator[None]:
    """Say where a session is, for this user's eyes only, and no longer than it lasts."""
    if other := running_session():
        raise Refused(f"jam: a session runs already (process {other.pid}). Stop it first, with Ctrl-C where it runs.")
    file = session_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as written:
        json.dump((running.stage.written(), running.pid, running.settings.written()), written)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _is_taken(stage: Stage) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        try:
            line.bind(stage.main)
        except OSError:
            return True
    return False
