"""What comes in from outside, counted before a byte of it is kept: a file, a folder, or an archive of one.

left_out = take_in("my songs", part)                          # links that lead out or round are left where they are
take_in("groove-v1.0.0-midionly.zip", part)                   # nothing in an archive reaches outside
with unpacked("groove-v1.0.0-midionly.zip") as folder: ...    # a folder as it is; an archive's contents for a while
check_room("the snapshot", files=12, size=3_000, target=part)
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from models.music.errors import BadInput, StorageError
from models.music.files import MANIFEST
from models.music.plain import reason, shown

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
MAX_FILES, MAX_UNPACKED_BYTES = 200_000, 20 * 2**30
MAX_GROWTH, SMALL_BYTES = 100, 64 * 2**20
"""So many times its own size an archive may grow; a small one may grow to so much in any case."""
RESERVE_BYTES = 64 * 2**20
"""Of the disk, which stays free."""
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    LZMAError,
    EOFError,
    RuntimeError,
    ValueError,
    OverflowError,
)


class Coming(NamedTuple):
    """One file that is about to come in."""

    name: str
    size: int
    open: Callable[[], IO[bytes] | None]


def take_in(source: str | os.PathLike[str], target: Path) -> list[str]:
    """Bring a file, a folder's files or an archive's to a folder; return the links that were left where they are."""
    place = Path(source)
    if place.is_dir():
        coming, links = _below(place)
        _take(place.name, coming, target)
        return links
    if not place.is_file():
        raise BadInput(f"{source}: no such file or folder. Check the path.")
    if place.name.lower().endswith(ARCHIVES):
        _unpack(place, target)
    else:
        _take(place.name, [_file(place, place.name)], target)
    return []


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
        _unpack(path, Path(name))
        yield Path(name)


def check_room(label: str, files: int, size: int, target: Path) -> None:
    """Refuse what is more than a folder should hold, or than its disk can."""
    if files > MAX_FILES:
        raise BadInput(f"{label}: more than {MAX_FILES} files. Bring a part of them.")
    free = shutil.disk_usage(next(place for place in (target, *target.parents) if place.exists())).free
    if size > free - RESERVE_BYTES:
        raise StorageError(
            f"{label}: {files} {'file' if files == 1 else 'files'} of {size >> 20} MB; {free >> 20} MB free"
            f" at {target.parent}. Free some space or choose another folder."
        )


def _below(root: Path) -> tuple[list[Coming], list[str]]:
    """List the files below a folder, and the links that lead out of it or to a folder, which nobody follows."""
    coming, links, inside = [], [], root.resolve()
    for folder, below, names in os.walk(root):
        for name in [*names, *(each for each in below if Path(folder, each).is_symlink())]:
            file = Path(folder, name)
            label = file.relative_to(root).as_posix()
            if file.is_symlink() and not (file.is_file() and file.resolve().is_relative_to(inside)):
                links.append(label)
            elif file.is_file() and name != MANIFEST:
                coming.append(_file(file, label))
                if len(coming) > MAX_FILES:
                    return coming, links
    return coming, links


def _file(file: Path, name: str) -> Coming:
    return Coming(name, file.stat().st_size, lambda: open(file, "rb"))


def _unpack(path: Path, target: Path) -> None:
    most = min(MAX_UNPACKED_BYTES, max(SMALL_BYTES, MAX_GROWTH * path.stat().st_size))
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                _take(path.name, _counted(path, _zipped(archive), most), target)
        elif tarfile.is_tarfile(path):
            with tarfile.open(path) as archive:
                _take(path.name, _counted(path, _tarred(archive), most), target)
        else:
            raise BadInput(f"{path.name}: neither a folder, a zip nor a tar. Give one of these.")
    except OSError as error:
        if error.errno is not None:  # the disk's; a decompressor's own has no number
            raise
        raise _damaged(path, error) from error
    except _DAMAGE as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> BadInput:
    return BadInput(f"{path.name}: not a whole archive ({reason(error)}). Fetch it again.")


def _zipped(archive: zipfile.ZipFile) -> Iterator[Coming]:
    for info in archive.infolist():
        if not info.is_dir():
            yield Coming(info.filename, info.file_size, lambda info=info: archive.open(info))


def _tarred(archive: tarfile.TarFile) -> Iterator[Coming]:
    """Links and devices are left where they are."""
    for member in archive:
        if member.isfile():
            yield Coming(member.name, member.size, lambda member=member: archive.extractfile(member))


def _counted(path: Path, coming: Iterable[Coming], most: int) -> list[Coming]:
    """List an archive's files, and stop at the first that makes it too large: what it holds is never unpacked to count."""
    files, total = [], 0
    for each in coming:
        total += each.size
        if total > most or len(files) >= MAX_FILES:
            raise BadInput(
                f"{path.name}: {total >> 20} MB out of {path.stat().st_size / 2**20:.1f} MB, {len(files) + 1} files;"
                f" at most {most >> 20} MB and {MAX_FILES} files are unpacked. Do not use it, or unpack it yourself."
            )
        if not _is_possible(each.name):
            raise BadInput(
                f"{path.name}: a file in it is called {shown(each.name)}, outside the archive. Do not use it."
            )
        files.append(each._replace(name=each.name.replace("\\", "/")))
    folders = {str(parent) for each in files for parent in PurePosixPath(each.name).parents}
    if clash := next((each.name for each in files if str(PurePosixPath(each.name)) in folders), None):
        raise BadInput(f"{path.name}: a file in it is called {shown(clash)}, as a folder is. Do not use it.")
    return files


def _is_possible(name: str) -> bool:
    """Whether a name can stand for a file below a folder."""
    parts = name.replace("\\", "/").split("/")
    return "\0" not in name and ".." not in parts and bool(parts[0]) and all(len(os.fsencode(p)) < 256 for p in parts)


def _take(label: str, coming: list[Coming], target: Path) -> None:
    check_room(label, len(coming), sum(each.size for each in coming), target)
    for each in coming:
        place = target / each.name
        place.parent.mkdir(parents=True, exist_ok=True)
        source = each.open()
        assert source is not None, "it was listed as a file"
        with source, open(place, "wb") as sink:
            left = each.size
            while left and (block := source.read(min(left, 1 << 20))):  # never more than was counted
                sink.write(block)
                left -= len(block)
