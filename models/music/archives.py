"""A folder, or an archive of one, opened as a folder; nothing in an archive can reach outside it.

with unpacked("groove-v1.0.0-midionly.zip") as folder: ...
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from models.music.errors import BadInput

MAX_FILES, MAX_UNPACKED_BYTES = 200_000, 20 * 2**30


@contextlib.contextmanager
def unpacked(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a folder as it is, or a zip's or tar's contents in a folder that goes when the block ends."""
    path = Path(path)
    if path.is_dir():
        yield path
        return
    if not path.is_file():
        raise BadInput(f"{path}: no such file or folder. Check the path.")
    with tempfile.TemporaryDirectory(prefix="jamflow-") as name:
        target = Path(name)
        try:
            _unpack(path, target)
        except (zipfile.BadZipFile, tarfile.TarError, EOFError, RuntimeError, NotImplementedError) as error:
            raise BadInput(f"{path.name}: not a whole archive ({error}). Fetch it again.") from error
        yield target


def _unpack(path: Path, target: Path) -> None:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            files = [(i.filename, i.file_size, i) for i in archive.infolist() if not i.is_dir()]
            _take(path.name, target, files, archive.open)
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:  # links and devices are left where they are
            files = [(m.name, m.size, m) for m in archive.getmembers() if m.isfile()]
            _take(path.name, target, files, lambda member: archive.extractfile(member))
    else:
        raise BadInput(f"{path.name}: neither a folder, a zip nor a tar. Give one of these.")


def _take(label: str, target: Path, files: list, opened) -> None:
    total = sum(size for _, size, _ in files)
    if len(files) > MAX_FILES or total > MAX_UNPACKED_BYTES:
        raise BadInput(
            f"{label}: {len(files)} files of {total >> 20} MB; at most {MAX_FILES} of {MAX_UNPACKED_BYTES >> 20} MB."
        )
    for name, size, member in files:
        place = (target / name.replace("\\", "/")).resolve()
        if PurePosixPath(name).is_absolute() or not place.is_relative_to(target.resolve()):
            raise BadInput(f"{label}: a file in it is called {name!r}, outside the archive. Do not use it.")
        place.parent.mkdir(parents=True, exist_ok=True)
        with opened(member) as source, open(place, "wb") as sink:
            _copy(source, sink, size, label)


def _copy(source: IO[bytes], sink: IO[bytes], size: int, label: str) -> None:
    shutil.copyfileobj(source, sink, 1 << 20)
    if sink.tell() > size:
        raise BadInput(f"{label}: a file in it is larger than it says. Do not use it.")
