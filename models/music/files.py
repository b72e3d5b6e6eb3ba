"""Files that appear whole or not at all, and folders that prove what they hold.

with whole_file("loss.png") as part: figure.savefig(part)
with whole_folder("checkpoint-100") as part: ...        # manifest.json is written last
check_folder("checkpoint-100")                          # sizes and sha256, or a sentence
with numbered(out_dir) as number: ...                   # the next free N, also when two runs write at once
take_over("stems/1/a.wav", "drums/a.wav")               # one file, two names
"""

from __future__ import annotations

import contextlib
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


def take_over(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Give a finished file of ours one more name; a second copy is made only where the disk knows no links."""
    with whole_file(target) as part:
        try:
            os.link(source, part)
        except OSError:
            shutil.copyfile(source, part)


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")
    return Path(path)


def write_json(path: str | os.PathLike[str], value: Any) -> Path:
    return write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | os.PathLike[str]) -> Any:
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput(f"{path}: no such file. Check the path.") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadInput(f"{path}: not readable as JSON ({error}). Make it again.") from error


def manifest_of(folder: Path) -> dict[str, dict[str, Any]]:
    """Name every file below a folder with its size and sha256; the manifest itself is left out."""
    files = sorted(f for f in folder.rglob("*") if f.is_file() and f.relative_to(folder).as_posix() != MANIFEST)
    return {f.relative_to(folder).as_posix(): {"bytes": f.stat().st_size, "sha256": sha256(f)} for f in files}


def check_folder(folder: str | os.PathLike[str]) -> dict[str, dict[str, Any]]:
    """Return a folder's manifest after checking every file against it."""
    folder = Path(folder)
    if not (folder / MANIFEST).is_file():
        raise BadInput(f"{folder}: no {MANIFEST}, so it was never finished. Make it again, or give another folder.")
    manifest = read_json(folder / MANIFEST)
    for name, promised in manifest.items():
        file = folder / name
        if not file.resolve().is_relative_to(folder.resolve()):
            raise BadInput(f"{folder}: its manifest names {name!r}, outside the folder. Do not use it.")
        if not file.is_file() or file.stat().st_size != promised["bytes"] or sha256(file) != promised["sha256"]:
            raise BadInput(f"{folder}: {name} is missing or differs from the manifest. Fetch or make the folder again.")
    return manifest


def is_whole(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder has a manifest and every file in it is as promised."""
    try:
        check_folder(folder)
    except (BadInput, KeyError, TypeError, AttributeError):
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


def _disk_sentence(path: Path, error: OSError) -> str:
    existing = next(p for p in [path, *path.parents] if p.exists())
    free = f"{shutil.disk_usage(existing).free // 2**20} MB free there"
    said = "; ".join(filter(None, [error.strerror or str(error), free]))
    return f"{path}: not written ({said}). Free some space or choose another folder."
