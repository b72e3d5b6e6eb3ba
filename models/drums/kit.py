"""A kit: the samples of a pools file, what each is for, and the General-MIDI key it answers to.

    kit = read_kit("pools_1.json")                    # every sample is found, or the missing ones are named
    kit.pool("CORE")[0].sample_id                     # the surest kick
    sounds = load_sounds(kit, rate_hz=44_100)         # sample_id -> Audio, stereo

Keys: the samples of a role take that role's General-MIDI keys in the order of their pool, so two kicks are 36 and 35
and a plain GM instrument plays the beat sensibly. A pool with more samples than its role has keys begins again at the
first; the sample's id then travels in the MIDI file's text (see notation.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from models.drums.events import ROLES, Role
from models.music.audio import Audio, read_audio
from models.music.config import nearest
from models.music.errors import BadInput
from models.music.files import read_json
from models.music.plain import shown

GM_KEYS: dict[Role, tuple[int, ...]] = {
    "CORE": (36, 35),  # bass drums
    "ACCENT": (38, 40, 39, 37),  # snares, clap, side stick
    "FILL": (45, 47, 48, 50, 43, 41),  # toms
    "MOTION": (42, 46, 44, 51, 59, 53, 49, 57, 55, 52),  # hats, rides, crashes
    "TEXTURE": (58, 80, 81, 73, 74),  # vibraslap, triangles, guiros
}
_SHAKEN_KEYS = frozenset({54, 56, 69, 70, 82})  # tambourine, cowbell, cabasa, maracas, shaker keep time like a hat
MAX_SAMPLE_SECONDS = 60.0
MAX_CONFIDENCE = 1e6
AnyPath = str | os.PathLike[str]


def role_of_key(key: int) -> Role:
    """Say which role a General-MIDI drum key plays; hand percussion counts as FILL."""
    for role, keys in GM_KEYS.items():
        if key in keys:
            return role
    return "MOTION" if key in _SHAKEN_KEYS else "FILL"


@dataclass(frozen=True)
class Piece:
    """One sample of a kit."""

    sample_id: str
    role: Role
    key: int
    """General-MIDI drum key."""
    confidence: float
    path: Path


@dataclass(frozen=True)
class Kit:
    """The pieces of a pools file, each pool in the order of its confidence."""

    pieces: tuple[Piece, ...]
    label: str = "kit"
    """What messages call it: usually the pools file's name."""

    def pool(self, role: Role) -> tuple[Piece, ...]:
        return tuple(piece for piece in self.pieces if piece.role == role)

    def piece(self, sample_id: str) -> Piece:
        """Find a sample by its id, or say which one was probably meant."""
        found = self._by_id.get(sample_id)
        if found is None:
            raise BadInput(f"{self.label}: no sample {shown(sample_id)}; {nearest(sample_id, list(self._by_id)[:40])}.")
        return found

    def at_key(self, key: int) -> Piece:
        """Find the piece a drum key plays: its own, or the first of the nearest role that has one."""
        role = role_of_key(key)
        own = [piece for piece in self.pieces if piece.key == key and piece.role == role]
        pools = (self.pool(other) for other in (role, *ROLES))
        return own[0] if own else next(pool[0] for pool in pools if pool)

    @cached_property
    def _by_id(self) -> dict[str, Piece]:
        return {piece.sample_id: piece for piece in reversed(self.pieces)}


def read_kit(pools_json: AnyPath, sample_root: AnyPath = "") -> Kit:
    """Read a pools file and find its samples, below sample_root when given, otherwise beside the file."""
    pools_json = Path(pools_json)
    pools = read_json(pools_json)
    if not isinstance(pools, dict):
        raise BadInput(
            f"{pools_json.name}: holds {type(pools).__name__}; a pools file is a mapping with CORE_POOL and more."
        )
    folder = Path(sample_root) if sample_root else pools_json.parent
    pieces = [piece for role in ROLES for piece in _pool_of(pools, role, folder, pools_json.name)]
    if not pieces:
        raise BadInput(f"{pools_json.name}: 0 samples in its pools, need 1. Run assign-roles on a folder of one-shots.")
    missing = [piece for piece in pieces if not _is_file(piece.path)]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise BadInput(
            f"{pools_json.name}: sample {shown(missing[0].sample_id)} is not at {shown(str(missing[0].path), 300)}{more}. "
            "Put it back, or give its folder with --sample-root."
        )
    return Kit(tuple(pieces), pools_json.name)


def load_sounds(kit: Kit, rate_hz: int, sample_ids: Iterable[str] | None = None) -> dict[str, Audio]:
    """Read samples once each, stereo at one rate; all of the kit, or the ones asked for."""
    wanted = sorted({piece.sample_id for piece in kit.pieces} if sample_ids is None else set(sample_ids))
    paths = {sample_id: kit.piece(sample_id).path for sample_id in wanted}
    return {
        sample_id: read_audio(path, max_seconds=MAX_SAMPLE_SECONDS).at_rate(rate_hz).stereo()
        for sample_id, path in paths.items()
    }


def _pool_of(pools: dict[str, Any], role: Role, folder: Path, where: str) -> list[Piece]:
    rows = pools.get(f"{role}_POOL", [])
    if not isinstance(rows, list):
        raise BadInput(f"{where}: {role}_POOL holds {type(rows).__name__}; a list of samples is needed.")
    for number, row in enumerate(rows):
        check_row(row, f"{where}: {role}_POOL[{number}]")
        confidence = row.get("confidence", 0)
        if not isinstance(confidence, int | float) or abs(confidence) > MAX_CONFIDENCE:
            raise BadInput(f"{where}: {role}_POOL[{number}]: confidence is {shown(confidence)}; give 0 to 1.")
    surest_first = sorted(rows, key=lambda row: -row.get("confidence", 0))
    keys = GM_KEYS[role]
    return [
        Piece(
            row["sample_id"],
            role,
            keys[number % len(keys)],
            float(row.get("confidence", 0)),
            find_sample(row["filepath"], folder),
        )
        for number, row in enumerate(surest_first)
    ]


def check_row(row: Any, where: str) -> None:
    """See that a row of a pools file names a sample and its file."""
    if not isinstance(row, dict) or not all(isinstance(row.get(name), str) for name in ("sample_id", "filepath")):
        raise BadInput(f"{where} has no sample_id and filepath. Make the pools again.")


def find_sample(filepath: str, folder: AnyPath) -> Path:
    """Say where a sample lies; pools made on another machine are found by file name in the folder given."""
    place = Path(folder, filepath)
    elsewhere = Path(folder, place.name)
    return elsewhere if not _is_file(place) and _is_file(elsewhere) else place


def _is_file(place: Path) -> bool:
    """Whether a file is there, whatever else a stranger wrote for its name."""
    try:
        return place.is_file()
    except (OSError, ValueError):
        return False
