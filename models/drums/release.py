"""Folders to carry away: a kit with its samples beside its pools, and a release with the beats made of it.

    pack_kit("roles/pools_1.json", "kit", sample_root="hits")     # every path in kit/pools_1.json is a file name
    release(["kit", "beat", "groove"], "out")                     # one folder, everything in it opened once

A packed kit plays anywhere: no path leads out of its folder.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from models.drums.editor import beside
from models.drums.events import read_beat
from models.drums.kit import MAX_SAMPLE_SECONDS, Kit, check_row, find_sample, read_kit
from models.drums.notation import read_beat_midi
from models.drums.session import newest
from models.music.audio import AUDIO_SUFFIXES, read_audio
from models.music.errors import BadInput
from models.music.files import MANIFEST, read_json, sha256, whole_folder, write_json
from models.music.plain import shown

AnyPath = str | os.PathLike[str]
_FILE_NAME = re.compile(r"[\w-]{1,80}")


def pack_kit(pools_json: AnyPath, out_dir: AnyPath, *, sample_root: AnyPath = "") -> Kit:
    """Copy a pools file and every sample it names into one folder, with the scores beside it and the samples they name.

    Whoever made the file may be a stranger: only sounds that lie beside it or below sample_root are copied.
    """
    pools_json = newest(pools_json, "pools")
    kit = read_kit(pools_json, sample_root)
    scores = pools_json.with_name(pools_json.name.replace("pools", "per_sample", 1))
    jsons = {file.name: read_json(file) for file in (pools_json, scores) if file.is_file()}
    places = {piece.sample_id: piece.path for piece in kit.pieces}
    for sample_id, filepath in _scored(jsons.get(scores.name, []), scores.name):
        places.setdefault(sample_id, find_sample(filepath, sample_root or pools_json.parent))
    names, roots = _names_of(places), [Path(sample_root or pools_json.parent), pools_json.parent]
    with whole_folder(out_dir) as part:
        for sample_id, place in places.items():
            shutil.copyfile(_own_sound(sample_id, place, roots), part / names[sample_id])
        for name, value in jsons.items():
            write_json(part / name, _renamed(value, names))
    return read_kit(Path(out_dir) / pools_json.name)


def _scored(rows: Any, where: str) -> Iterator[tuple[str, str]]:
    """Give the sample and the path of every row of a scores file."""
    if not isinstance(rows, list):
        raise BadInput(f"{where}: holds {type(rows).__name__}; a list of samples is needed. Assign the roles again.")
    for number, row in enumerate(rows):
        check_row(row, f"{where}: row {number}")
        yield row["sample_id"], row["filepath"]


def _own_sound(sample_id: str, place: Path, roots: Sequence[Path]) -> Path:
    """Give the file behind a sample's path, when it is a sound that lies below one of the folders."""
    file = place.resolve()
    if not any(file.is_relative_to(root.resolve()) for root in roots):
        raise BadInput(
            f"sample {shown(sample_id)} lies at {shown(str(place), 300)}, outside the kit's folder and that of its samples. "
            "Give the folder it lies in with --hits, or take it out of the pools."
        )
    read_audio(file, max_seconds=MAX_SAMPLE_SECONDS)
    return file


def release(parts: Sequence[AnyPath], out_dir: AnyPath) -> int:
    """Bring finished folders together and open every file once; return how many there are."""
    with whole_folder(out_dir) as part:
        for source in map(Path, parts):
            for file in sorted(f for f in source.rglob("*") if f.is_file() and f.name != MANIFEST):
                target = part / file.relative_to(source)
                if target.exists() and sha256(target) != sha256(file):
                    raise BadInput(f"{target.name}: {source.name} and an earlier part differ in it. Make both again.")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
        return _open_all(part)


def _open_all(folder: Path) -> int:
    """Open everything a release holds, each beat with its own grid and kit."""
    kit = read_kit(newest(folder, "pools"))
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    for file in files:
        if file.suffix in AUDIO_SUFFIXES:
            read_audio(file)
        elif file.suffix == ".mid":
            read_beat_midi(file)
        elif file.name.startswith("event_grid_") and file.suffix == ".json":
            for event in read_beat(beside(file, "grid"), file).events:
                kit.piece(event.sample_id)
        elif file.suffix == ".json":
            read_json(file)
    return len(files)


def _names_of(places: dict[str, Path]) -> dict[str, str]:
    """Name each sample's file: by its id where that is a plain word, otherwise by its place in the kit."""
    names: dict[str, str] = {}
    for number, (sample_id, place) in enumerate(places.items()):
        plain = _FILE_NAME.fullmatch(sample_id)
        names[sample_id] = f"{sample_id if plain else f'sample_{number:05d}'}{place.suffix.lower()}"
    return names


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """Give the same JSON with the file name of every sample in the kit as its filepath."""
    if isinstance(value, list):
        return [_renamed(row, names) for row in value]
    if not isinstance(value, dict):
        return value
    inner = {key: _renamed(row, names) for key, row in value.items()}
    return (
        inner | {"filepath": names[inner["sample_id"]]}
        if "filepath" in inner and inner.get("sample_id") in names
        else inner
    )
