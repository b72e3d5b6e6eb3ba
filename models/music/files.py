"""Files that appear whole or not at all, and folders that prove what they hold.

with whole_file("loss.png") as part: figure.savefig(part)
with whole_folder("checkpoint-100") as part: ...        # manifest.json is written last
with whole_set("out") as part: ...                      # its files come to others that lie there already
check_folder("checkpoint-100")                          # sizes and sha256, or a sentence
with numbered(out_dir) as number: ...                   # the next free N, also when two runs write at once
take_over("stems/1/a.wav", "drums/a.wav")               # one file, two names
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.music.errors import BadInput, StorageError
from models.music.plain import parse_json, shown

MAX_JSON_BYTES = 64 * 2**20
MANIFEST = "manifest.json"
_NUMBERED = re.compile(r"^[^.].*_([1-9]\d{0,3})\.\w+$")  # not dummy_00001.wav


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a part file to write; on success it takes the final name at once, on failure it goes."""
    path = Path(path)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        _sync(part)
        os.replace(part, path)
    except OSError as error:
        raise StorageError(_disk_sentence(path, error)) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: str | os.PathLike[str], *, replace: bool = False) -> Iterator[Path]:
    """Give a part folder to fill; a manifest is written last, then the folder takes its final name."""
    path = Path(path)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        part.mkdir(parents=True)
        yield part
        write_json(part / MANIFEST, manifest_of(part))
        for file in part.rglob("*"):
            _sync(file)
        if replace and path.exists():
            aside = part.with_suffix(".old")
            os.replace(path, aside)
            os.replace(part, path)
            shutil.rmtree(aside)
        else:
            os.rename(part, path)
    except OSError as error:
        raise StorageError(_disk_sentence(path, error)) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextlib.contextmanager
def whole_set(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a part folder to fill; its files take their names in a folder together, beside what is there, or none does."""
    path = Path(path)
    part, made, placed = path / f".{uuid.uuid4().hex[:8]}.part", not path.exists(), []
    try:
        part.mkdir(parents=True)
        yield part
        files = sorted(file for file in part.rglob("*") if file.is_file())
        for file in files:
            _sync(file)
        for file in files:
            target = path / file.relative_to(part)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.rename(file, target)
            placed.append(target)
        placed.clear()
    except OSError as error:
        raise StorageError(_disk_sentence(path, error)) from error
    finally:
        for target in placed:
            target.unlink(missing_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        if made:
            with contextlib.suppress(OSError):  # it holds what came of it
                path.rmdir()


def take_over(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Give a finished file of ours one more name; a second copy is made only where the disk knows no links."""
    with whole_file(target) as part:
        try:
            os.link(source, part)
        except OSError:
            shutil.copyfile(source, part)


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write UTF-8; what a file name holds that is none is written as JSON writes it (\\udce9), so that JSON brings it back."""
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8", errors="backslashreplace")
    return Path(path)


def write_json(path: str | os.PathLike[str], value: Any) -> Path:
    return write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read a JSON file, or say in one line why not."""
    path = Path(path)
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise BadInput(
                f"{path}: {path.stat().st_size >> 20} MB; at most {MAX_JSON_BYTES >> 20} MB of JSON are read."
            )
        return parse_json(path.read_bytes(), str(path))
    except FileNotFoundError as error:
        raise BadInput(f"{path}: no such file. Check the path.") from error
    except OSError as error:
        raise BadInput(f"{path}: not readable ({error.strerror or error}). Check the path and its rights.") from error


def read_mapping(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a JSON file that holds names and values."""
    value = read_json(path)
    if not isinstance(value, dict):
        raise BadInput(f"{path}: holds {type(value).__name__}; a mapping of names to values is needed. Make it again.")
    return value


def manifest_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Name every file below a folder with its size and sha256; the manifest itself is left out."""
    files = sorted(f for f in folder.rglob("*") if f.is_file() and f.relative_to(folder).as_posix() != MANIFEST)
    return {f.relative_to(folder).as_posix(): {"bytes": f.stat().st_size, "sha256": sha256(f)} for f in files}


def read_manifest(path: str | os.PathLike[str]) -> dict[str, dict[str, Any]]:
    """Read what a folder should hold, as manifest_of tells it; no name in it leads out of the folder."""
    path, manifest = Path(path), read_mapping(path)
    for name, promised in manifest.items():
        told = promised if isinstance(promised, dict) else {}
        if not isinstance(told.get("sha256"), str) or type(told.get("bytes")) is not int or told["bytes"] < 0:
            raise BadInput(f"{path}: {shown(name)} has no bytes and sha256. Make the folder again.")
        if "\0" in name or not (path.parent / name).resolve().is_relative_to(path.parent.resolve()):
            raise BadInput(f"{path.parent}: its manifest names {shown(name)}, outside the folder. Do not use it.")
    return manifest


def check_folder(folder: str | os.PathLike[str]) -> dict[str, dict[str, Any]]:
    """Return a folder's manifest after checking every file against it."""
    folder = Path(folder)
    if not (folder / MANIFEST).is_file():
        raise BadInput(f"{folder}: no {MANIFEST}, so it was never finished. Make it again, or give another folder.")
    manifest = read_manifest(folder / MANIFEST)
    for name, promised in manifest.items():
        file = folder / name
        if not file.is_file() or file.stat().st_size != promised["bytes"] or sha256(file) != promised["sha256"]:
            raise BadInput(f"{folder}: {name} is missing or differs from the manifest. Fetch or make the folder again.")
    return manifest


def is_whole(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder has a manifest and every file in it is as promised."""
    try:
        check_folder(folder)
    except BadInput:
        return False
    return True


def sha256(path: str | os.PathLike[str]) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of_folder(folder: str | os.PathLike[str]) -> str:
    """One digest of all names and contents below a folder, or of one file."""
    folder = Path(folder)
    if folder.is_file():
        return sha256(folder)
    lines = "".join(f"{entry['sha256']}  {name}\n" for name, entry in manifest_of(folder).items())
    return hashlib.sha256(lines.encode()).hexdigest()


@contextlib.contextmanager
def numbered(folder: str | os.PathLike[str]) -> Iterator[int]:
    """Claim the next number that no file `<name>_<N>.<suffix>` in a folder uses, against every other run."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number, claim = _claim(folder)
    except OSError as error:
        raise StorageError(_disk_sentence(folder, error)) from error
    try:
        yield number
    finally:
        claim.unlink(missing_ok=True)


def _claim(folder: Path) -> tuple[int, Path]:
    number = 1
    while True:
        claim = folder / f".claim_{number}.lock"
        with contextlib.suppress(FileExistsError):
            claim.touch(exist_ok=False)
            if number > max((int(m[1]) for f in folder.iterdir() if (m := _NUMBERED.search(f.name))), default=0):
                return number, claim
            claim.unlink()
        number += 1


def _sync(path: Path) -> None:
    if path.is_file():
        with open(path, "rb") as file:
            os.fsync(file.fileno())


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, None, 0)
_WAYS_OUT = {
    errno.EACCES: "Choose a folder that you may write to.",
    errno.EPERM: "Choose a folder that you may write to.",
    errno.EROFS: "Choose a folder that you may write to.",
    errno.EEXIST: "Something of that name is there: move it, or choose another name.",
    errno.ENOTEMPTY: "Something of that name is there: move it, or choose another name.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}


def _disk_sentence(path: Path, error: OSError) -> str:
    """Say why something was not written and what to do; libsndfile counts a full disk as trouble without a number."""
    said, way_out = error.strerror or str(error), _WAYS_OUT.get(error.errno or 0, "Choose another place.")
    if error.errno in _FULL:
        existing = next(p for p in [path, *path.parents] if p.exists())
        free = f"{shutil.disk_usage(existing).free // 2**20} MB free there"
        said, way_out = "; ".join(filter(None, [said, free])), "Free some space or choose another folder."
    return f"{path}: not written ({said}). {way_out}"
