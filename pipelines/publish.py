"""Bring a run's outputs to the folder the user named: numbered files get that folder's next number, nothing is overwritten.

publish({"pools": Path("…/pools")}, Path("out"))     # pools_1.json there becomes out/pools_4.json if 3 was the last

Files without a number (dummy_00001.wav) that another run left there send the whole set to out/take_2.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from models.music.errors import BadInput
from models.music.files import MANIFEST, numbered, sha256, whole_file, whole_set

NUMBERED = re.compile(r"^([^.].*)_([1-9]\d{0,3})(\.\w+)$")


def publish(outputs: Mapping[str, Path], out_dir: Path) -> list[Path]:
    """Bring every output file to a folder, all or none, or to a new one in it where another run's files are; say where."""
    found = [(file, name) for label, path in outputs.items() for file, name in _files(label, path)]
    if any(_is_anothers(file, out_dir / name) for file, name in found if not NUMBERED.match(name.name)):
        with _next_take(out_dir) as take:
            return publish(outputs, take)
    if any(NUMBERED.match(name.name) for _, name in found):
        with numbered(out_dir) as number:
            return _copy([(file, _renumbered(name, number)) for file, name in found], out_dir)
    return _copy(found, out_dir)


def take_out(outputs: Mapping[str, Path], target: Path) -> Path:
    """Bring the one file of a run's outputs to a name of its own."""
    found = [file for label, path in outputs.items() for file, _ in _files(label, path)]
    if len(found) != 1:
        raise BadInput(f"--out {target}: {len(found)} files come out of this run, not one. Give --out-dir.")
    with whole_file(target) as part:
        shutil.copyfile(found[0], part)
    return target


def _is_anothers(file: Path, target: Path) -> bool:
    return target.exists() and sha256(file) != sha256(target)


@contextlib.contextmanager
def _next_take(out_dir: Path) -> Iterator[Path]:
    """Make out/take_2, or the next that is free, also when two runs do so at once; it goes when nothing comes there."""
    for number in itertools.count(2):
        take = out_dir / f"take_{number}"
        with contextlib.suppress(FileExistsError):
            take.mkdir()
            break
    try:
        yield take
    finally:
        with contextlib.suppress(OSError):  # something came
            take.rmdir()


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
    with whole_set(out_dir) as part:
        for file, name in files:
            if not (out_dir / name).exists():
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, part / name)
    return [out_dir / name for _, name in files]
