"""Real one-shots played by real drummers: clips whose onsets are known to the sample.

    clips = near_real_clips(shared, REPORTED)        # 84 performances of 12 s, kits and drummers kept apart from TUNED
    clips[0].beats_s, clips[0].downbeats_s           # where the drummer's metronome clicked

A hit's truth is where its one-shot first comes within 30 dB of its own peak, not where the file was placed: leading
silence is trimmed in the library, but a brushed snare or a loose group of claps still creeps in over milliseconds.
Onsets closer than 20 ms are one onset. A velocity v plays at (v / 127)^curve: curve 1 is the plain test, curve 2
(General MIDI's) buries ghost notes up to 70 dB under the accents, many of them below the ring of what played before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.recordings import one_shots
from models.music.audio import HOUSE_RATE_HZ, Audio
from models.music.errors import BadInput
from models.music.midi import read_midi
from models.music.notes import ONSET, PITCH, VELOCITY
from models.practice.drum_sounds import synthesise

CLIPS, CLIP_SECONDS, MERGE_MS, ATTACK_DB = 84, 12.0, 20.0, -30.0
LABELS = {36: "kick", 35: "kick", 39: "clap"}
LABELS |= dict.fromkeys((37, 38, 40), "snare")
LABELS |= dict.fromkeys((42, 44, 22), "hihat")
LABELS |= dict.fromkeys((46, 26), "openhat")
LABELS |= dict.fromkeys((41, 43, 45, 47, 48, 50, 58), "tom")
LABELS |= dict.fromkeys((49, 52, 55, 57), "crash")
LABELS |= dict.fromkeys((51, 53, 59), "ride")
LEVEL_DB = {
    "kick": 0.0,
    "snare": -1.0,
    "clap": -3.0,
    "tom": -2.0,
    "hihat": -9.0,
    "openhat": -9.0,
    "crash": -5.0,
    "ride": -9.0,
}
PRACTICE = "practice"
"""So begins the name of a kit that the practice room makes; its seed follows."""
Kit = dict[str, list[NDArray[np.float32]]]
"""By voice, one-shots of peak 1."""
ROUND_ROBIN = 4
INSTEAD = {
    "kick": ("tom", "perc"),
    "snare": ("clap", "perc"),
    "clap": ("snare", "perc"),
    "hihat": ("perc",),
    "openhat": ("crash", "hihat", "perc"),
    "tom": ("perc", "kick"),
    "crash": ("openhat", "perc", "hihat"),
    "ride": ("crash", "perc", "hihat"),
}
"""What plays for a voice that a maker has not recorded."""


@dataclass(frozen=True)
class Cast:
    """Who plays on what."""

    kits: tuple[str, ...]
    drummers: tuple[str, ...]
    seed: int


TUNED = Cast(("karoryfer", "oramics_drum_machines", "sonicpi_freesound"), ("drummer1", "drummer3", "drummer5"), 1)
REPORTED = Cast(
    ("muldjord", "smpldsnds_machines", "uzu_switchangel_mot4i"),
    ("drummer2", "drummer4", "drummer6", "drummer7", "drummer8", "drummer9", "drummer10"),
    100,
)


@dataclass(frozen=True)
class Clip:
    """A rendered performance with its true onsets."""

    audio: Audio
    onsets_s: NDArray[np.float64]
    loudness_db: NDArray[np.float64]
    """Of each onset: the energy of its first 50 ms, the loudest hit of a merged group."""
    tempo_bpm: float = 0.0
    first_downbeat_s: float = 0.0
    """Where the first bar that begins in the clip does."""

    @property
    def beats_s(self) -> NDArray[np.float64]:
        """Every quarter of the metronome, in 4/4."""
        beat_s = 60 / self.tempo_bpm
        return np.arange(self.first_downbeat_s % beat_s, self.audio.seconds, beat_s)

    @property
    def downbeats_s(self) -> NDArray[np.float64]:
        return np.arange(self.first_downbeat_s, self.audio.seconds, 240 / self.tempo_bpm)


@dataclass(frozen=True)
class _Cut:
    """A piece of a performance: rows of pitch, velocity, seconds; its tempo and where its first bar begins."""

    rows: NDArray[np.float64]
    tempo_bpm: float
    first_downbeat_s: float


def near_real_clips(
    shared: Path, cast: Cast, curve: float = 1.0, clips: int = CLIPS, seconds: float = CLIP_SECONDS
) -> list[Clip]:
    """Render real performances with real one-shots, every drummer and kit in turn."""
    generator = np.random.default_rng(cast.seed)
    kits = [kit_of(shared, maker) for maker in cast.kits]
    return [
        perform(shared, cast.drummers[n % len(cast.drummers)], kits[n % len(kits)], generator, curve, seconds)
        for n in range(clips)
    ]


def perform(
    shared: Path, drummer: str, kit: Kit, generator: np.random.Generator, curve: float, seconds: float = CLIP_SECONDS
) -> Clip:
    """Let a drummer play some seconds on a kit."""
    return _render(_pick(_performances(shared, drummer), seconds, generator), kit, curve, seconds, generator)


def merged(onsets_s: NDArray, loudness_db: NDArray) -> tuple[NDArray, NDArray]:
    """Join onsets closer than MERGE_MS to the first of their group, with the loudest's loudness."""
    order = np.argsort(onsets_s)
    times, levels = [], []
    for time, level in zip(onsets_s[order], loudness_db[order], strict=True):
        if times and time - times[-1] < MERGE_MS / 1000:
            levels[-1] = max(levels[-1], level)
        else:
            times.append(time)
            levels.append(level)
    return np.array(times), np.array(levels)


def attack_s(sound: NDArray[np.float32], rate_hz: int) -> float:
    """When a one-shot first comes within ATTACK_DB of its own peak."""
    loud = np.abs(sound) >= np.abs(sound).max() * 10 ** (ATTACK_DB / 20)
    return float(loud.argmax()) / rate_hz


@lru_cache(maxsize=16)
def kit_of(shared: Path, maker: str) -> Kit:
    """Read a maker's one-shots by voice, or make them in the practice room."""
    if maker.startswith(PRACTICE):
        generator = np.random.default_rng(int(maker.removeprefix(PRACTICE)))
        return {voice: [_synthesised(voice, generator) for _ in range(2 * ROUND_ROBIN)] for voice in LEVEL_DB}
    kit: Kit = {}
    for shot in one_shots(shared, maker):
        kit.setdefault(shot.kind, []).append(shot.sound)
    missing = {voice: instead for voice, instead in INSTEAD.items() if voice not in kit}
    return kit | {
        voice: next(kit[each] for each in (*instead, *kit) if each in kit) for voice, instead in missing.items()
    }


def _synthesised(voice: str, generator: np.random.Generator) -> NDArray[np.float32]:
    kind = "cymbal" if voice in ("crash", "ride") else voice
    sound = synthesise(kind, generator, HOUSE_RATE_HZ).samples[0]
    return sound / np.abs(sound).max()


@lru_cache(maxsize=16)
def _performances(shared: Path, drummer: str) -> list[Path]:
    return sorted((shared / "data/groove_midi" / drummer).rglob("*_beat_4-4.mid"))


def _pick(files: list[Path], length_s: float, generator: np.random.Generator) -> _Cut:
    """Cut so many seconds out of a performance that is long enough."""
    too_short: set[int] = set()
    while len(too_short) < len(files):
        number = int(generator.integers(len(files)))
        take = read_midi(files[number])
        seconds = take.seconds(take.notes[:, ONSET])
        if seconds[-1] < length_s:
            too_short.add(number)
            continue
        start = generator.uniform(0, seconds[-1] - length_s)
        heard = (seconds >= start) & (seconds < start + length_s - 0.1)
        played = take.notes[heard][:, [PITCH, VELOCITY]].astype(np.float64)
        rows = np.column_stack([played, seconds[heard] - start])
        return _Cut(rows, take.tempo_bpm, -start % float(take.seconds(take.ticks_per_bar)))
    raise BadInput(f"none of {len(files)} performances lasts {length_s:g} s; ask for shorter clips.")


def _render(cut: _Cut, kit: Kit, curve: float, length_s: float, generator: np.random.Generator) -> Clip:
    """Place every hit to the sample; each pitch keeps its own few one-shots of the kit."""
    rate_hz = HOUSE_RATE_HZ
    mix = np.zeros(round(length_s * rate_hz), np.float32)
    first_shot = {pitch: int(generator.integers(1 << 16)) for pitch in LABELS}
    onsets, levels = [], []
    for pitch, velocity, second in cut.rows:
        voice = LABELS[int(pitch)]
        shots = kit[voice]
        shot = shots[(first_shot[int(pitch)] + int(generator.integers(min(ROUND_ROBIN, len(shots))))) % len(shots)]
        sound = shot * np.float32((velocity / 127) ** curve * 10 ** (LEVEL_DB[voice] / 20))
        place = round(second * rate_hz)
        room = len(mix) - place
        mix[place : place + len(sound)] += sound[:room]
        onsets.append(place / rate_hz + attack_s(sound, rate_hz))
        levels.append(10 * np.log10(np.mean(sound[: rate_hz // 20] ** 2) + 1e-12))
    onsets_s, loudness_db = merged(np.array(onsets), np.array(levels))
    audio = Audio(0.5 * mix / np.abs(mix).max(), rate_hz)
    return Clip(audio, onsets_s, loudness_db, cut.tempo_bpm, cut.first_downbeat_s)
