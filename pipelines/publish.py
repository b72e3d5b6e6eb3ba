"""Bring a run's outputs to the folder the user named: numbered files get that folder's next number, nothing is overwritten.

publish({"pools": Path("…/pools")}, Path("out"))     # pools_1.json there becomes out/pools_4.json if 3 was the last

Files without a number (dummy_00001.wav) that another run left there send the whole set to out/take_2.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from models.music.files import MANIFEST, numbered, sha256, whole_file

NUMBERED = re.compile(r"^([^.].*)_([1-9]\d{0,3})(\.\w+)$")


def publish(outputs: Mapping[str, Path], out_dir: Path) -> list[Path]:
    """Copy every output file to a folder, or to a new one in it where another run's files are; return where they are."""
    found = [(file, name) for label, path in outputs.items() for file, name in _files(label, path)]
    if any(_is_anothers(file, out_dir / name) for file, name in found if not NUMBERED.match(name.name)):
        out_dir = _next_take(out_dir)
    if any(NUMBERED.match(name.name) for _, name in found):
        with numbered(out_dir) as number:
            return _copy([(file, _renumbered(name, number)) for file, name in found], out_dir)
    return _copy(found, out_dir)


def _is_anothers(file: Path, target: Path) -> bool:
    return target.exists() and sha256(file) != sha256(target)


def _next_take(out_dir: Path) -> Path:
    """Make out/take_2, or the next that is free, also when two runs do so at once."""
    for number in itertools.count(2):
        with contextlib.suppress(FileExistsError):
            (out_dir / f"take_{number}").mkdir()
            return out_dir / f"take_{number}"
    raise AssertionError("unreachable")


def _files(label: str, path: Path) -> list[tuple[Path, Path]]:
    if path.is_dir():
        files = sorted(f for f in path.rglob("*") if f.is_file() and f.name != MANIFEST)
        return [(file, file.relative_to(path)) for file in files]
    if path.is_file() and path.stat().st_size:
        return [(path, Path(path.name if path.suffix else label.replace("_", "-")))]
    return []


def _renumbered(name: Path, number: int) -> Path:
    match = NUMBERED.match(name.name)
    return name.with_name(f"{match[1]}_{number}{match[3]}") if match else name


def _copy(files: list[tuple[Path, Path]], out_dir: Path) -> list[Path]:
    targets = [(file, out_dir / name) for file, name in files]
    for file, target in targets:
        if not target.exists():
            with whole_file(target) as part:
                shutil.copyfile(file, part)
    return [target for _, target in targets]
