"""A studio session: files in, the next numbered set of files out, all of it or nothing.

    number = lay_skeleton("pools_1.json", "out", SkeletonPlan(bpm=96))       # grid_1.json, event_grid_1.json, …
    number = lay_groove("out/grid_1.json", "out/event_grid_1.json", "pools_1.json", "out", play)

Every run takes the next free number of its folder, so a groove made of event_grid_1.json may be event_grid_groovae_2.json,
with the grid_2.json it belongs to beside it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from models.drums.events import ROLES, Beat, read_beat, write_events, write_grid
from models.drums.kit import Kit, read_kit
from models.drums.notation import read_beat_midi, write_beat_midi
from models.drums.pocket import Play, make_groove
from models.drums.render import render
from models.drums.skeleton import SkeletonPlan, chosen_samples, make_skeleton
from models.music.audio import HOUSE_RATE_HZ, Audio, write_audio
from models.music.errors import BadInput
from models.music.files import numbered, write_json

AnyPath = str | os.PathLike[str]
RANDOM = "random"


def lay_skeleton(
    pools_json: AnyPath,
    out_dir: AnyPath,
    plan: SkeletonPlan,
    *,
    sample_root: AnyPath = "",
    render_sr: int = HOUSE_RATE_HZ,
) -> int:
    """Make a skeleton of a pools file and write it: grid, events, meta, sound and MIDI. Return its number."""
    pools = find_pools(pools_json, out_dir, plan.seed)
    kit = read_kit(pools, sample_root)
    beat = make_skeleton(kit, plan)
    loop = render(beat, kit, render_sr)
    meta = {
        **dataclasses.asdict(plan),
        "render_sr": render_sr,
        "pools_json": Path(os.path.relpath(pools, out_dir)).as_posix(),
        "samples": chosen_samples(beat),
        "silent_roles": [role for role in ROLES if not kit.pool(role)],
        "events": len(beat),
    }
    with _numbered_set(out_dir) as (stage, number):
        write_json(stage / f"skeleton_meta_{number}.json", meta)
        _write_beat(stage, number, "event_grid", beat)
        _write_rendition(stage, number, "render", beat, kit, loop)
    return number


def lay_groove(
    grid_json: AnyPath,
    events_json: AnyPath,
    pools_json: AnyPath,
    out_dir: AnyPath,
    play: Play,
    *,
    seed: int = 42,
    sample_root: AnyPath = "",
    render_sr: int = HOUSE_RATE_HZ,
    timing: float = 1.0,
    velocity: float = 1.0,
) -> int:
    """Humanise an event grid and write it: events, their grid, MIDI, and sound unless render_sr is 0. Return its number."""
    beat = read_beat(grid_json, events_json)
    kit = read_kit(find_pools(pools_json, out_dir, seed), sample_root)
    played = make_groove(beat, kit, play, seed=seed, timing=timing, velocity=velocity)
    loop = render(played, kit, render_sr) if render_sr else None
    with _numbered_set(out_dir) as (stage, number):
        _write_beat(stage, number, "event_grid_groovae", played)
        _write_rendition(stage, number, "render_groovae", played, kit, loop)
    return number


def bounce(beat: Beat, kit: Kit, out_dir: AnyPath, *, name: str = "render", render_sr: int = HOUSE_RATE_HZ) -> Path:
    """Write a beat as the next numbered MIDI file, with its sound beside it unless render_sr is 0."""
    loop = render(beat, kit, render_sr) if render_sr else None
    with _numbered_set(out_dir) as (stage, number):
        _write_rendition(stage, number, name, beat, kit, loop)
    return Path(out_dir) / f"{name}_{number}{'.wav' if loop else '.mid'}"


def take_in_midi(midi: AnyPath, out_dir: AnyPath, kit: Kit | None = None) -> int:
    """Write a MIDI file's beat as the next numbered grid and event grid. Return its number."""
    beat = read_beat_midi(midi, kit)
    with _numbered_set(out_dir) as (stage, number):
        _write_beat(stage, number, "event_grid", beat)
    return number


def find_pools(pools_json: AnyPath, out_dir: AnyPath, seed: int) -> Path:
    """Find the pools file meant: a file, the newest in a folder, or for "random" one of those in out_dir, drawn by the seed."""
    drawn = str(pools_json) == RANDOM
    folder = Path(out_dir) if drawn else Path(pools_json)
    if not drawn and not folder.is_dir():
        return folder
    found = sorted(folder.glob("pools_*.json"), key=lambda path: (len(path.stem), path.stem))
    if not found:
        raise BadInput(
            f"{folder}: no pools_N.json there. Run assign-roles first, or give a pools file with --pools-json."
        )
    return found[int(np.random.default_rng(seed).integers(len(found)))] if drawn else found[-1]


def _write_beat(stage: Path, number: int, name: str, beat: Beat) -> None:
    write_grid(stage / f"grid_{number}.json", beat.grid)
    write_events(stage / f"{name}_{number}.json", beat)


def _write_rendition(stage: Path, number: int, name: str, beat: Beat, kit: Kit, loop: Audio | None) -> None:
    if loop is not None:
        write_audio(stage / f"{name}_{number}.wav", loop)
    write_beat_midi(stage / f"{name}_{number}.mid", beat, kit)


@contextlib.contextmanager
def _numbered_set(out_dir: AnyPath) -> Iterator[tuple[Path, int]]:
    """Give a hidden folder to write a set in and its number; the files move to out_dir when all are there."""
    with numbered(out_dir) as number:
        stage = Path(out_dir) / f".set_{number}.{uuid.uuid4().hex[:8]}.part"
        stage.mkdir()
        try:
            yield stage, number
            for file in sorted(stage.iterdir()):
                os.replace(file, Path(out_dir) / file.name)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
