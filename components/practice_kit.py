"""The practice room's drums as a kit, for whoever has no samples yet.

write_practice_kit("kit", seed=7)               # kit/pools_1.json and its sounds
list(render_files("beats", "sounds"))           # every MIDI file of a folder, played on it
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.drums.kit import read_kit
from models.drums.notation import read_beat_midi
from models.drums.pictures import draw_beat
from models.drums.render import render
from models.music.audio import write_audio
from models.music.files import write_json
from models.music.midi import find_midi
from models.practice.drum_sounds import synthesise

POOLS = {
    "CORE": ("kick",),
    "ACCENT": ("snare", "clap"),
    "MOTION": ("hihat", "openhat", "cymbal"),
    "FILL": ("tom", "tom", "perc"),
    "TEXTURE": ("fx",),
}
"""What plays each role; the order gives the General-MIDI keys (models/drums/kit.py)."""


class Rendered(NamedTuple):
    """A MIDI file that can be heard and seen."""

    name: str
    sound: Path
    picture: Path
    hits: int


def write_practice_kit(folder: str | Path, seed: int) -> Path:
    """Synthesise a kit into a folder; return its pools file."""
    folder, generator = Path(folder), np.random.default_rng(seed)
    pools: dict[str, list[dict[str, object]]] = {}
    for role, kinds in POOLS.items():
        pools[f"{role}_POOL"] = []
        for place, kind in enumerate(kinds):
            name = f"{role.lower()}_{place + 1:02d}_{kind}"
            write_audio(folder / f"{name}.wav", synthesise(kind, generator))
            sure = round(1 - place / 10, 2)
            pools[f"{role}_POOL"].append({"sample_id": name, "filepath": f"{name}.wav", "confidence": sure})
    counts = {role: len(kinds) for role, kinds in POOLS.items()}
    return write_json(folder / "pools_1.json", {**pools, "counts": counts})


def render_files(
    midi: str | Path, folder: str | Path, pools_json: str = "", sample_root: str = "", seed: int = 7
) -> Iterator[Rendered]:
    """Play every MIDI file at a path into a folder, one after another; a picture lasts until the next."""
    with tempfile.TemporaryDirectory(prefix="jamflow-kit-") as there:
        kit = read_kit(pools_json or write_practice_kit(there, seed), sample_root)
        for file in find_midi(midi):
            beat = read_beat_midi(file, kit)
            sound = write_audio(Path(folder, f"{file.stem}.wav"), render(beat, kit))
            picture = Path(there, "beat.png")
            draw_beat(picture, beat, title=file.stem)
            yield Rendered(file.stem, sound, picture, len(beat.events))
