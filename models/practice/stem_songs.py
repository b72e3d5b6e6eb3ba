"""SynthStems: songs to learn separation from, each from its split and number, with stems that add up to the mix.

    song = stem_song("test", 3)                     # {stem: Audio}, stereo, 12 s
    write_stem_songs("synth", {"train": 40, "valid": 4, "test": 6, "unfamiliar": 6})     # synth/train/0000/drums.wav …

No two splits share a song. `unfamiliar` is played faster than all others, on instruments, voices and drums that nobody
else plays: what a separator learnt by heart does not help there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.music.audio import HOUSE_RATE_HZ, Audio, write_audio
from models.music.config import nearest
from models.music.errors import BadConfig
from models.music.grid import Grid
from models.practice.drum_sounds import KINDS, synthesise
from models.practice.instruments import (
    BASSES,
    KEYS,
    SINGERS,
    UNFAMILIAR_BASSES,
    UNFAMILIAR_KEYS,
    UNFAMILIAR_SINGERS,
    Instrument,
    Synth,
    in_a_room,
)
from models.practice.songs import PROGRESSIONS, STEMS, play_drums, render_hits

SPLITS = ("train", "valid", "test", "unfamiliar")
SONG_S = 12.0
REST = 0.15
"""Chance that a player rests for two bars."""
Samples = NDArray[np.float64]


@dataclass(frozen=True)
class Cast:
    """Who may play in a song."""

    tempos_bpm: tuple[int, int]
    basses: Mapping[str, Instrument]
    keys: Mapping[str, Instrument]
    singers: Mapping[str, Instrument]
    drum_speeds: tuple[float, ...]
    """How fast the drums' sounds are played back: lower ones are deeper and longer."""


FAMILIAR = Cast((78, 145), BASSES, KEYS, SINGERS, (0.93, 1.0, 1.07))
UNFAMILIAR = Cast((150, 178), UNFAMILIAR_BASSES, UNFAMILIAR_KEYS, UNFAMILIAR_SINGERS, (0.72, 1.35))


def stem_song(split: str, number: int, seconds: float = SONG_S, rate_hz: int = HOUSE_RATE_HZ) -> dict[str, Audio]:
    """Make one song's stems."""
    if split not in SPLITS:
        raise BadConfig(f"split {split!r}: {nearest(split, SPLITS)}.")
    generator = np.random.default_rng((SPLITS.index(split), number))
    cast = UNFAMILIAR if split == "unfamiliar" else FAMILIAR
    tempo_bpm = float(generator.integers(*cast.tempos_bpm))
    grid = Grid(tempo_bpm, max(1, int(seconds * tempo_bpm / 240) + 1))
    synth, frames = Synth(generator, rate_hz), round(seconds * rate_hz)
    progression, key = PROGRESSIONS[generator.integers(len(PROGRESSIONS))], int(generator.integers(12))
    chords = [(key + progression[bar % 4], progression[bar % 4] == 9) for bar in range(grid.bars)]
    voices = {
        "drums": _drums(synth, grid, cast, frames),
        "bass": _bass(synth, grid, cast, chords, frames),
        "other": _keys(synth, grid, cast, chords, frames),
        "vocals": _sung(synth, grid, cast, key, frames),
    }
    levels = {"drums": 0.0, "bass": -3.0, "other": -5.0, "vocals": -2.0}
    stems = {name: _levelled(generator, grid, rate_hz, voices[name], levels[name]) for name in STEMS}
    loudest = float(np.abs(np.sum(list(stems.values()), axis=0)).max()) or 1.0
    return {name: Audio((0.8 / loudest * stem).astype(np.float32), rate_hz, name) for name, stem in stems.items()}


def write_stem_songs(
    folder: str | os.PathLike[str], counts: Mapping[str, int], seconds: float = SONG_S, rate_hz: int = HOUSE_RATE_HZ
) -> Path:
    """Write so many songs of each split as folders of stems; what is there already stays."""
    folder = Path(folder)
    for split, count in counts.items():
        for number in range(count):
            place = folder / split / f"{number:04d}"
            if all((place / f"{name}.wav").is_file() for name in STEMS):
                continue
            for name, stem in stem_song(split, number, seconds, rate_hz).items():
                write_audio(place / f"{name}.wav", stem, subtype="PCM_16")
    return folder


def _levelled(generator: np.random.Generator, grid: Grid, rate_hz: int, stem: Samples, level_db: float) -> Samples:
    """Bring a stem [2, t] to about its level, and let it rest now and then."""
    level = 10 ** ((level_db + generator.uniform(-3, 3)) / 20)
    loud = np.sqrt(np.mean(stem**2)) or 1.0
    rests = np.repeat(generator.random(-(-grid.bars // 2)) < REST, round(2 * grid.bar_seconds * rate_hz))
    playing = np.ones(stem.shape[1])
    playing[: len(rests)] = ~rests[: stem.shape[1]]
    fade = max(1, round(0.005 * rate_hz))
    return level / loud * stem * np.convolve(playing, np.ones(fade) / fade, "same")


def _drums(synth: Synth, grid: Grid, cast: Cast, frames: int) -> Samples:
    speed = float(synth.generator.choice(cast.drum_speeds))
    kit = {
        kind: Audio(synthesise(kind, synth.generator, round(synth.rate_hz / speed)).samples, synth.rate_hz, kind)
        for kind in KINDS
    }
    sound = render_hits(play_drums(synth.generator, grid), kit, frames, synth.rate_hz)
    return in_a_room(synth, sound, synth.generator.uniform(0.1, 0.4), synth.generator.uniform(0.0, 0.15))


def _bass(synth: Synth, grid: Grid, cast: Cast, chords: Sequence[tuple[int, bool]], frames: int) -> Samples:
    instrument, generator = _one_of(synth, cast.basses), synth.generator
    steps = ((0, 4, 8, 12), (0, 6, 8, 14), (0, 3, 6, 8, 11, 14), (0, 8))[generator.integers(4)]

    def notes() -> Iterator[tuple[float, Samples]]:
        for bar, (root, _) in enumerate(chords):
            for step, following in zip(steps, [*steps[1:], 16], strict=True):
                pitch = 28 + (root + 8) % 12 + 12 * int(generator.random() < 0.15)
                yield _at(grid, bar, step), instrument(synth, pitch, 0.9 * (following - step) * grid.step_seconds)

    return np.tile(_laid(notes(), frames, synth.rate_hz), (2, 1))


def _keys(synth: Synth, grid: Grid, cast: Cast, chords: Sequence[tuple[int, bool]], frames: int) -> Samples:
    """Chords held by one instrument on one side, an arpeggio by another on the other side."""
    generator = synth.generator
    held, moving = _one_of(synth, cast.keys), _one_of(synth, cast.keys)

    def held_notes() -> Iterator[tuple[float, Samples]]:
        for bar, (root, minor) in enumerate(chords):
            for interval in (0, 3 if minor else 4, 7):
                yield _at(grid, bar, 0), held(synth, 52 + root % 12 + interval, grid.bar_seconds)

    def moving_notes() -> Iterator[tuple[float, Samples]]:
        for bar, (root, minor) in enumerate(chords):
            for step in range(0, 16, 2):
                if generator.random() < 0.7:
                    interval = generator.choice((0, 3 if minor else 4, 7, 12))
                    yield _at(grid, bar, step), moving(synth, 64 + root % 12 + interval, 3 * grid.step_seconds)

    side = generator.uniform(0.2, 0.8)
    chord, line = (_laid(notes, frames, synth.rate_hz) for notes in (held_notes(), moving_notes()))
    left, right = chord * side + line * (1 - side), chord * (1 - side) + line * side
    room = partial(in_a_room, synth, seconds=generator.uniform(0.4, 1.2), wet=generator.uniform(0.05, 0.4))
    return np.stack([left, right]) + room(chord + line) - (chord + line)


def _sung(synth: Synth, grid: Grid, cast: Cast, key: int, frames: int) -> Samples:
    singer, generator = _one_of(synth, cast.singers), synth.generator

    def notes() -> Iterator[tuple[float, Samples]]:
        scale, place, step = (0, 2, 4, 7, 9), 3, 0
        while step < 16 * grid.bars:
            length = int(generator.choice((2, 2, 4, 4, 6, 8)))
            place = int(np.clip(place + generator.integers(-2, 3), 0, 9))
            if generator.random() < 0.8:
                pitch = 55 + key % 12 + scale[place % 5] + 12 * (place // 5)
                yield _at(grid, 0, step) + generator.uniform(0, 0.02), singer(synth, pitch, length * grid.step_seconds)
            step += length

    sound = _laid(notes(), frames, synth.rate_hz)
    return in_a_room(synth, sound, generator.uniform(0.4, 1.5), generator.uniform(0.05, 0.3))


def _one_of(synth: Synth, instruments: Mapping[str, Instrument]) -> Callable[..., Samples]:
    return instruments[str(synth.generator.choice(list(instruments)))]


def _at(grid: Grid, bar: int, step: int) -> float:
    return bar * grid.bar_seconds + step * grid.step_seconds


def _laid(notes: Iterator[tuple[float, Samples]], frames: int, rate_hz: int) -> Samples:
    """Add notes where they begin."""
    sound = np.zeros(frames)
    for seconds, note in notes:
        place = round(seconds * rate_hz)
        sound[place : place + len(note)] += note[: max(0, frames - place)]
    return sound
