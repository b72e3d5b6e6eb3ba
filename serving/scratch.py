"""Folders for what is only passing through. One whose process died is swept up by the next who needs one.

    with scratch("deploy") as there: ...
    left_over(room)             # those of processes that are gone; sweep() removes them

A folder is locked for as long as its process lives, so nobody needs to guess which are left over (and a cleaner of the
system's temporary folder, which respects such locks, leaves it alone).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from models.music.errors import Unavailable
from models.music.locks import alone

PLAIN = re.compile(r"[A-Za-z0-9/_.+-]+")
"""What a path may hold that goes through Triton, whose stub hands it to a shell unquoted."""
MEMORY = Path("/dev/shm")
ROOMS = ("/tmp", str(MEMORY), "/var/tmp")


@contextlib.contextmanager
def scratch(what: str, room: Path | None = None) -> Iterator[Path]:
    """Give a folder, with a plain path unless its room is told; it goes when the block ends, or with the next one after its process died."""
    room = room or plain_room()
    with alone(room / f"{_ours()}.lock"):  # nobody sweeps what is only being made
        _remove(_left_in(room))
        folder = Path(tempfile.mkdtemp(prefix=f"{_ours()}-{what}-", dir=room))
        held = os.open(folder, os.O_RDONLY)
        _hold(held)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def sweep() -> None:
    """Remove the folders of processes that are gone."""
    for room in {plain_room(), MEMORY}:
        if os.access(room, os.W_OK):
            _remove(left_over(room))


def left_over(room: Path) -> list[Path]:
    """List the folders in a room whose processes are gone."""
    with alone(room / f"{_ours()}.lock"):
        return _left_in(room)


@contextlib.contextmanager
def temporaries_in(folder: Path) -> Iterator[None]:
    """Let libraries put their temporary files there too, so that they share its fate."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def plain_room() -> Path:
    """The temporary folder, or another one whose path is plain."""
    for room in (tempfile.gettempdir(), *ROOMS):
        if PLAIN.fullmatch(room) and os.access(room, os.W_OK):
            return Path(room)
    raise Unavailable(
        f"{tempfile.gettempdir()}: Triton takes no path with such letters, and none of {', '.join(ROOMS)} can be written."
        " Set TMPDIR to a folder with a plain name."
    )


def _left_in(room: Path) -> list[Path]:
    left = []
    for folder in room.glob(f"{_ours()}-*"):
        with contextlib.suppress(OSError):  # gone already, or not a folder
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            if _hold(held):
                left.append(folder)
            os.close(held)
    return left


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _hold(descriptor: int) -> bool:
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _ours() -> str:
    return f"jamflow-{os.getuid()}-passing"
