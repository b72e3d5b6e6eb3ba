"""A practice song from a seed: drums over bass, chords and a sung line, every stem and every hit known.

song = compose(np.random.default_rng(7), bars=8)
song.mix, song.stems["drums"]        # Audio, stereo; the stems add up to the mix
song.hits                            # what the drummer played: seconds, kind, velocity
write_song("practice", song)         # mixture.wav, drums.wav, bass.wav, other.wav, vocals.wav, hits.json
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from models.music.audio import HOUSE_RATE_HZ, Audio, write_audio
from models.music.files import write_json
from models.music.grid import Grid
from models.practice.drum_sounds import KINDS, synthesise

STEMS = ("drums", "bass", "other", "vocals")
# Kinds by steps of the bar: certain (x), likely (o), a ghost now and then (g).
PATTERNS = (
    {"kick": "x...o.....x.o...", "snare": "....x..g.g..x..g", "hihat": "x.x.x.x.x.x.x.x."},
    {"kick": "x.....x...x.....", "snare": "....x..g....x.g.", "hihat": "xgxgxgxgxgxgxgxg"},
    {"kick": "x...x...x...x...", "clap": "....x.......x...", "openhat": "..x...x...x...x.", "perc": "...o..o....o..o."},
)
LEVELS = {
    "kick": 1.0,
    "snare": 0.8,
    "clap": 0.7,
    "hihat": 0.35,
    "openhat": 0.35,
    "tom": 0.7,
    "cymbal": 0.5,
    "perc": 0.4,
    "fx": 0.4,
}
PROGRESSIONS = ((0, 7, 9, 5), (0, 9, 5, 7), (0, 5, 9, 7), (9, 5, 0, 7))
"""Roots in semitones over the key; on 9 the chord is minor."""

Samples = NDArray[np.float64]


@dataclass(frozen=True)
class DrumHit:
    """One stroke."""

    seconds: float
    kind: str
    velocity: float
    """0 to 1, the gain of its sound."""


@dataclass(frozen=True)
class PracticeSong:
    """A song taken apart."""

    mix: Audio
    stems: Mapping[str, Audio]
    hits: tuple[DrumHit, ...]
    grid: Grid

    @property
    def onsets_s(self) -> NDArray[np.float64]:
        return np.array([hit.seconds for hit in self.hits])


def compose(
    generator: np.random.Generator, *, bars: int = 8, tempo_bpm: float = 0.0, rate_hz: int = HOUSE_RATE_HZ
) -> PracticeSong:
    """Make a song; tempo 0 draws one between 84 and 132 bpm."""
    grid = Grid(tempo_bpm or float(generator.integers(84, 133)), bars)
    frames = round((bars * grid.bar_seconds + 2.0) * rate_hz)
    key, progression = int(generator.integers(12)), PROGRESSIONS[generator.integers(len(PROGRESSIONS))]
    roots = [key + progression[bar % 4] for bar in range(bars)]
    minor = [progression[bar % 4] == 9 for bar in range(bars)]
    hits = play_drums(generator, grid)
    kit = {kind: synthesise(kind, generator, rate_hz) for kind in KINDS}
    voices = {
        "drums": render_hits(hits, kit, frames, rate_hz),
        "bass": 0.2 * _bass(generator, grid, roots, frames, rate_hz),
        "other": 0.09 * _chords(generator, grid, roots, minor, frames, rate_hz),
        "vocals": 0.15 * _sung(generator, grid, key, frames, rate_hz),
    }
    loudest = float(np.abs(np.sum(list(voices.values()), axis=0)).max())
    pans = {"drums": 0.0, "bass": 0.0, "other": 0.35, "vocals": -0.1}
    stems = {name: _placed(voices[name] * 0.8 / loudest, pans[name], rate_hz, name) for name in STEMS}
    mix = np.sum([stem.samples for stem in stems.values()], axis=0)
    return PracticeSong(Audio(mix, rate_hz, "practice song"), stems, tuple(hits), grid)


def write_song(folder: str | os.PathLike[str], song: PracticeSong) -> Path:
    """Write a song the way separation data sets lie on disk, with its hits beside it."""
    folder = Path(folder)
    write_audio(folder / "mixture.wav", song.mix)
    for name, stem in song.stems.items():
        write_audio(folder / f"{name}.wav", stem)
    write_json(folder / "hits.json", [asdict(hit) for hit in song.hits])
    return folder


def play_drums(generator: np.random.Generator, grid: Grid) -> list[DrumHit]:
    """Play a pattern with ghosts, loose hands, a crash every four bars and a fill before it, now and then a flam."""
    pattern = PATTERNS[generator.integers(len(PATTERNS))]
    hits = []
    for bar in range(grid.bars):
        filling = bar % 4 == 3
        for kind, steps in pattern.items():
            for step, mark in enumerate(steps):
                chance = {"x": 1.0, "o": 0.6, "g": 0.35, ".": 0.0}[mark]
                if generator.random() < chance and not (filling and step >= 12):
                    ghost = mark == "g"
                    hits.append(_hit(generator, grid, bar, step, kind, ghost))
        if filling:
            hits += [_hit(generator, grid, bar, step, "tom", False) for step in (12, 13, 14, 15)]
        if bar % 4 == 0:
            hits.append(_hit(generator, grid, bar, 0, "cymbal", False))
    flams = [
        DrumHit(h.seconds + generator.uniform(0.025, 0.04), h.kind, h.velocity)
        for h in hits
        if generator.random() < 0.02
    ]
    return sorted(hits + flams, key=lambda hit: hit.seconds)


def _hit(generator: np.random.Generator, grid: Grid, bar: int, step: int, kind: str, ghost: bool) -> DrumHit:
    seconds = (
        bar * grid.bar_seconds + step * grid.step_seconds + float(np.clip(generator.normal(0.004, 0.006), -0.02, 0.02))
    )
    velocity = generator.uniform(0.12, 0.3) if ghost else generator.uniform(0.6, 1.0)
    return DrumHit(max(0.0, seconds), kind, float(velocity))


def render_hits(hits: Sequence[DrumHit], kit: Mapping[str, Audio], frames: int, rate_hz: int) -> Samples:
    """Place every hit to the sample."""
    sound = np.zeros(frames)
    for hit in hits:
        shot = kit[hit.kind].samples[0] * hit.velocity * LEVELS[hit.kind]
        place = round(hit.seconds * rate_hz)
        sound[place : place + len(shot)] += shot[: max(0, frames - place)]
    return sound


# The band


def _bass(generator: np.random.Generator, grid: Grid, roots: list[int], frames: int, rate_hz: int) -> Samples:
    sound = np.zeros(frames)
    for bar, root in enumerate(roots):
        for step in (0, 6, 8, 14):
            pitch = 28 + (root + 8) % 12 + (12 if step == 14 else 0)
            tone = _tone(pitch, 2 * grid.step_seconds, rate_hz, harmonics=6, steep=1.4)
            _add(
                sound, tone, bar * grid.bar_seconds + step * grid.step_seconds + generator.normal(0.005, 0.004), rate_hz
            )
    return sound


def _chords(
    generator: np.random.Generator, grid: Grid, roots: list[int], minor: list[bool], frames: int, rate_hz: int
) -> Samples:
    sound = np.zeros(frames)
    for bar, (root, is_minor) in enumerate(zip(roots, minor, strict=True)):
        for interval in (0, 3 if is_minor else 4, 7, 12):
            tone = _tone(52 + root % 12 + interval, grid.bar_seconds, rate_hz, harmonics=10, steep=1.1, attack_s=0.02)
            _add(sound, tone, bar * grid.bar_seconds + generator.uniform(0, 0.01), rate_hz)
    return np.asarray(sosfilt(butter(2, 3500, fs=rate_hz, output="sos"), sound))


def _sung(generator: np.random.Generator, grid: Grid, key: int, frames: int, rate_hz: int) -> Samples:
    """A wandering line with vibrato and two formants: what a voice is to a separator."""
    sound, scale, place = np.zeros(frames), (0, 2, 4, 7, 9), 5
    for beat in range(4 * grid.bars):
        if generator.random() < 0.3:
            continue
        place = int(np.clip(place + generator.integers(-2, 3), 0, 9))
        pitch = 57 + key % 12 + scale[place % 5] + 12 * (place // 5)
        tone = _tone(pitch, 4 * grid.step_seconds, rate_hz, harmonics=24, steep=0.7, attack_s=0.05, vibrato=0.006)
        _add(sound, tone, 4 * beat * grid.step_seconds + generator.uniform(0, 0.02), rate_hz)
    formants = [
        sosfilt(butter(1, (0.8 * hz, 1.25 * hz), "bandpass", fs=rate_hz, output="sos"), sound) for hz in (700, 1150)
    ]
    return 2 * np.sum(formants, axis=0)


@lru_cache(maxsize=64)
def _tone(
    pitch: int,
    seconds: float,
    rate_hz: int,
    *,
    harmonics: int,
    steep: float,
    attack_s: float = 0.005,
    vibrato: float = 0.0,
) -> Samples:
    """A sum of harmonics falling as n^-steep."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    pitch_hz = 440 * 2 ** ((pitch - 69) / 12)
    phase = 2 * np.pi * np.cumsum(pitch_hz * (1 + vibrato * np.sin(2 * np.pi * 5.5 * time))) / rate_hz
    heard = [n for n in range(1, harmonics + 1) if n * pitch_hz < 0.45 * rate_hz]
    envelope = np.minimum(1.0, np.minimum(time / attack_s, (seconds - time) / 0.03)) * np.exp(-time / (2 * seconds))
    return np.sum([np.sin(n * phase) / n**steep for n in heard], axis=0) * envelope


def _add(sound: Samples, tone: Samples, seconds: float, rate_hz: int) -> None:
    place = max(0, round(seconds * rate_hz))
    sound[place : place + len(tone)] += tone[: max(0, len(sound) - place)]


def _placed(sound: Samples, pan: float, rate_hz: int, name: str) -> Audio:
    """Place a voice between left (-1) and right (1)."""
    angle = (pan + 1) * np.pi / 4
    return Audio((np.sqrt(2) * np.array([[np.cos(angle)], [np.sin(angle)]]) * sound).astype(np.float32), rate_hz, name)
