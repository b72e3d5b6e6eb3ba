"""Locks on files: others wait for a while, and a process that dies lets go of its own.

with alone(folder / ".groove.lock"): ...
holder(folder / ".groove.lock")                 # the process that has it, or None
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from models.music.errors import StorageError

PATIENCE_S = 300.0
"""Longer than any deployment."""
POLL_S = 0.05


class Held(StorageError):
    """Another process has a lock for longer than one cared to wait."""

    def __init__(self, path: Path, holder: int, patience_s: float) -> None:
        super().__init__(
            f"{path}: process {holder} has held it for {patience_s:g} s. Wait for that process, or end it."
        )
        self.holder = holder


@contextlib.contextmanager
def alone(path: Path, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold a lock file; whoever waits for it longer than is sensible is told who has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + patience_s
    with open(path, "a+b", buffering=0) as lock:
        while not _taken(lock.fileno(), fcntl.LOCK_EX):
            if time.monotonic() > end:
                raise Held(path, _signature(lock.fileno()), patience_s)
            time.sleep(POLL_S)
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same
            os.ftruncate(lock.fileno(), 0)
            os.write(lock.fileno(), str(os.getpid()).encode())
        yield


def holder(path: Path) -> int | None:
    """The process that holds a lock file; None when nobody does."""
    try:
        with open(path, "rb") as lock:
            return None if _taken(lock.fileno(), fcntl.LOCK_SH) else _signature(lock.fileno())
    except OSError:
        return None


def _taken(descriptor: int, how: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        return True
    return False


def _signature(descriptor: int) -> int:
    signed = os.pread(descriptor, 20, 0)
    return int(signed) if signed.isdigit() else 0
