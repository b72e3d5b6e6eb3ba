"""From a folder of one-shots to pools_N.json and per_sample_N.json.

    assigned = assign_folder("hits", "out", limit=0)        # limit 10 draws ten at random, 0 takes all
    assigned.pools.counts, assigned.number

`filepath` in both files is relative to the output folder where the sound lies below it, absolute otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.drums.roles.assigner import LearnedVoice, RoleAssigner, RoleAssignerConfig, unique_ids
from models.drums.roles.pools import build_pools
from models.drums.roles.types import ROLES, RolePools, SampleResult
from models.music.audio import find_audio
from models.music.errors import BadAudio, BadConfig, BadInput
from models.music.files import numbered, write_json


@dataclass(frozen=True)
class Assigned:
    """What came of a folder."""

    results: tuple[SampleResult, ...]
    pools: RolePools
    number: int
    """N of pools_N.json and per_sample_N.json."""


def assign_folder(
    source: str | os.PathLike[str],
    out_dir: str | os.PathLike[str],
    *,
    limit: int = 10,
    seed: int = 0,
    config: RoleAssignerConfig | None = None,
    learned: LearnedVoice | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Assigned:
    """Give the one-shots of a folder tree roles and write both files; a file that cannot be used is left out."""
    if limit < 0:
        raise BadConfig(f"limit is {limit}; give how many one-shots to draw, or 0 for all.")
    paths = find_audio(source)
    if 0 < limit < len(paths):
        drawn = np.random.default_rng(seed).choice(len(paths), limit, replace=False)
        paths = [paths[index] for index in sorted(drawn)]
    assigner = RoleAssigner(config, learned)
    results = assigner.assign_many(paths, unique_ids(paths), progress=progress, skip_bad=True)
    if not results:
        raise BadInput(f"{source}: 0 of {len(paths)} files can be used. {_why_not(assigner, paths[0])}")
    pools = build_pools(results, assigner.config.pool)
    number = write_roles(out_dir, results, pools)
    return Assigned(tuple(results), pools, number)


def write_roles(out_dir: str | os.PathLike[str], results: list[SampleResult], pools: RolePools) -> int:
    """Write pools_N.json and per_sample_N.json under the next free N."""
    out_dir = Path(os.path.abspath(out_dir))
    pooled = pools.as_dict()
    standing = {sample.sample_id: (role, sample) for role in ROLES for sample in pools[role]}
    entries = []
    for result in results:
        role, sample = standing.get(result.sample_id, (None, result))
        entries.append({**sample.as_dict(), "pool": role and role.value})
    for entry in [*entries, *(entry for role in ROLES for entry in pooled[f"{role.value}_POOL"])]:
        entry["filepath"] = _as_seen_from(out_dir, entry["filepath"])
    with numbered(out_dir) as number:
        write_json(out_dir / f"per_sample_{number}.json", entries)
        write_json(out_dir / f"pools_{number}.json", pooled)
    return number


def _why_not(assigner: RoleAssigner, path: Path) -> str:
    """Say of one file why it was left out."""
    try:
        assigner.assign_file(path)
    except BadAudio as error:
        return str(error)
    return "See the log."


def _as_seen_from(folder: Path, filepath: str) -> str:
    path = Path(os.path.abspath(filepath))
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
