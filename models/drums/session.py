"""A studio session: files in, the next numbered set of files out, all of it or nothing.

    laid = lay_skeleton("pools_1.json", "out", SkeletonPlan(bpm=96))       # grid_1.json, event_grid_1.json, …
    laid = lay_groove("out/grid_1.json", "out/event_grid_1.json", "pools_1.json", "out", play)
    laid.number, laid.sound, laid.picture

Every run takes the next free number of its folder, so a groove made of event_grid_1.json may be event_grid_groovae_2.json,
with the grid_2.json it belongs to beside it. Where a file is asked for, a folder stands for its newest one; a skeleton draws its pools by the seed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.drums.events import ROLES, Beat, read_beat, write_events, write_grid
from models.drums.kit import Kit, read_kit
from models.drums.notation import read_beat_midi, write_beat_midi
from models.drums.pictures import draw_beat, draw_feel
from models.drums.pocket import Play, make_groove, make_variation
from models.drums.render import render
from models.drums.skeleton import SkeletonPlan, chosen_samples, make_skeleton
from models.music.audio import HOUSE_RATE_HZ, Audio, write_audio
from models.music.errors import BadConfig, BadInput
from models.music.files import numbered, whole_set, write_json

AnyPath = str | os.PathLike[str]
RANDOM = "random"


@dataclass(frozen=True)
class Laid:
    """A numbered set as it was written."""

    folder: Path
    number: int
    name: str
    """render or render_groovae: what sound, MIDI and picture begin with."""
    events: int

    @property
    def sound(self) -> Path:
        return self.folder / f"{self.name}_{self.number}.wav"

    @property
    def picture(self) -> Path:
        return self.folder / f"{self.name}_{self.number}.png"


@dataclass(frozen=True)
class Feel:
    """How a groove model is to be followed."""

    seed: int = 42
    """The same seed, the same playing."""
    vary: bool = False
    """Take the model's own hits, not only its velocity and timing."""
    timing: float = 1.0
    """How much of the timing to take, 0 to 1."""
    velocity: float = 1.0
    """How much of the velocity to take, 0 to 1."""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise BadConfig(f"seed is {self.seed}; give 0 or above.")
        for name in ("timing", "velocity"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadConfig(f"{name} is {getattr(self, name):g}; give 0 (as written) to 1 (as played).")


def lay_skeleton(
    pools_json: AnyPath,
    out_dir: AnyPath,
    plan: SkeletonPlan,
    *,
    sample_root: AnyPath = "",
    render_sr: int = HOUSE_RATE_HZ,
) -> Laid:
    """Make a skeleton of a pools file and write it: grid, events, meta, sound, MIDI and picture."""
    pools = draw_pools(pools_json, out_dir, plan.seed)
    kit = read_kit(pools, sample_root)
    beat = make_skeleton(kit, plan)
    loop = render(beat, kit, render_sr)
    meta = {
        **dataclasses.asdict(plan),
        "render_sr": render_sr,
        "pools_json": pools.name,
        "samples": chosen_samples(beat),
        "silent_roles": [role for role in ROLES if not kit.pool(role)],
        "events": len(beat),
    }
    with _numbered_set(out_dir) as (stage, number):
        write_json(stage / f"skeleton_meta_{number}.json", meta)
        _write_beat(stage, number, "event_grid", beat)
        _write_rendition(stage, number, "render", beat, kit, loop)
        draw_beat(stage / f"render_{number}.png", beat, title="Skeleton")
    return Laid(Path(out_dir), number, "render", len(beat))


def lay_groove(
    grid_json: AnyPath,
    events_json: AnyPath,
    pools_json: AnyPath,
    out_dir: AnyPath,
    play: Play,
    feel: Feel = Feel(),
    *,
    sample_root: AnyPath = "",
    render_sr: int = HOUSE_RATE_HZ,
) -> Laid:
    """Play an event grid and write it: events, their grid, MIDI, a picture, and sound unless render_sr is 0."""
    beat = read_beat(newest(grid_json, "grid"), newest(events_json, "event_grid"))
    kit = read_kit(newest(pools_json, "pools"), sample_root)
    if feel.vary:
        played = make_variation(beat, kit, play, seed=feel.seed)
    else:
        played = make_groove(beat, kit, play, seed=feel.seed, timing=feel.timing, velocity=feel.velocity)
    loop = render(played, kit, render_sr) if render_sr else None
    with _numbered_set(out_dir) as (stage, number):
        _write_beat(stage, number, "event_grid_groovae", played)
        _write_rendition(stage, number, "render_groovae", played, kit, loop)
        draw_feel(stage / f"render_groovae_{number}.png", beat, played)
    return Laid(Path(out_dir), number, "render_groovae", len(played))


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


def draw_pools(pools_json: AnyPath, out_dir: AnyPath, seed: int) -> Path:
    """Find the pools file meant: a file, or one of those in a folder (out_dir for "random"), drawn by the seed."""
    folder = Path(out_dir if str(pools_json) == RANDOM else pools_json)
    if not folder.is_dir() and str(pools_json) != RANDOM:
        return folder
    found = _all_numbered(folder, "pools")
    return found[int(np.random.default_rng(seed).integers(len(found)))]


def newest(path: AnyPath, name: str) -> Path:
    """Give a file as it is, and for a folder its name_N.json with the highest number."""
    path = Path(path)
    return _all_numbered(path, name)[-1] if path.is_dir() else path


def _all_numbered(folder: Path, name: str) -> list[Path]:
    numbers = {path: re.fullmatch(rf"{name}_(\d+)\.json", path.name) for path in folder.glob(f"{name}_*.json")}
    found = sorted((int(match[1]), path) for path, match in numbers.items() if match)
    if not found:
        raise BadInput(f"{folder}: no {name}_N.json there. Give the file itself, or the folder it was written to.")
    return [path for _, path in found]


def _write_beat(stage: Path, number: int, name: str, beat: Beat) -> None:
    write_grid(stage / f"grid_{number}.json", beat.grid)
    write_events(stage / f"{name}_{number}.json", beat)


def _write_rendition(stage: Path, number: int, name: str, beat: Beat, kit: Kit, loop: Audio | None) -> None:
    if loop is not None:
        write_audio(stage / f"{name}_{number}.wav", loop)
    write_beat_midi(stage / f"{name}_{number}.mid", beat, kit)


@contextlib.contextmanager
def _numbered_set(out_dir: AnyPath) -> Iterator[tuple[Path, int]]:
    """Give a hidden folder to write a set in and its number; the files come to out_dir when all are there."""
    with numbered(out_dir) as number, whole_set(out_dir) as stage:
        yield stage, number
