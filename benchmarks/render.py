"""How fast and how exact beats are rendered.  Run: python -m benchmarks.render

A 64-bar loop on a synthesised kit against the plain way in the same run (read each hit's file, scale it, add it).
Onsets are measured by laying clicks at random micro-offsets and finding each click's first sample.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from models.drums.events import Beat, Event
from models.drums.kit import Kit, Piece, read_kit
from models.drums.notation import read_beat_midi, write_beat_midi
from models.drums.render import CEILING_DB, render, true_peak_db
from models.drums.skeleton import SkeletonPlan, make_skeleton
from models.music.audio import HOUSE_RATE_HZ, Audio, read_audio, write_audio
from models.music.grid import Grid
from models.practice.drum_sounds import synthesise

KINDS = {
    "CORE": ("kick", "kick"),
    "ACCENT": ("snare", "clap"),
    "MOTION": ("hihat", "openhat", "cymbal"),
    "FILL": ("tom", "tom", "tom"),
    "TEXTURE": ("fx",),
}
BARS, ROUNDS = 64, 3
T = TypeVar("T")


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kit = _kit(folder)
        beat = _swung(make_skeleton(kit, SkeletonPlan(bpm=120, bars=BARS, fill_prob=1.0)))
        seconds, loop = _timed(lambda: render(beat, kit))
        plain_seconds, mix = _timed(lambda: _plain(beat, kit))
        midi_seconds, again = _timed(lambda: read_beat_midi(write_beat_midi(folder / "beat.mid", beat, kit)))
        errors = _onset_errors(folder)
        rows = [
            ("loop", f"{BARS} bars, {len(beat)} hits, {loop.seconds:.0f} s stereo", ""),
            ("render", f"{seconds:.2f} s, {loop.seconds / seconds:.0f} x real time", "about 1 s"),
            (
                "the plain way",
                f"{plain_seconds:.2f} s, takes {plain_seconds / seconds:.2f} of it, no tone, no chokes",
                "",
            ),
            (
                "true peak",
                f"{true_peak_db(loop.samples):.2f} dBFS (plain: {true_peak_db(mix):+.2f})",
                f"< {CEILING_DB:g}",
            ),
            ("onset error", f"max {np.abs(errors).max():.2f} samples, {len(errors)} hits at 3 rates", "<= 1"),
            ("events -> MIDI -> events", f"{midi_seconds:.2f} s, the same: {again.events == beat.events}", "the same"),
        ]
    for label, figure, bar in rows:
        print(f"{label:<26}{figure:<56}{bar}")
    return 0 if again.events == beat.events and np.abs(errors).max() <= 1 else 1


def _kit(folder: Path) -> Kit:
    generator, pools = np.random.default_rng(3), {}
    for role, kinds in KINDS.items():
        rows = pools[f"{role}_POOL"] = []
        for number, kind in enumerate(kinds):
            name = f"{role}_{number}"
            write_audio(folder / f"{name}.wav", synthesise(kind, generator))
            rows.append({"sample_id": name, "filepath": f"{name}.wav", "confidence": 0.9 - 0.2 * number})
    (folder / "pools_1.json").write_text(json.dumps(pools))
    return read_kit(folder / "pools_1.json")


def _swung(beat: Beat) -> Beat:
    """Give every hit a velocity and an offset of its own, as after the groove model."""
    generator = np.random.default_rng(0)
    return beat.with_events(
        [
            Event(
                e.bar,
                e.step,
                e.role,
                e.sample_id,
                float(generator.uniform(0.2, 1)),
                e.dur_steps,
                float(generator.normal(0, 20)),
            )
            for e in beat.events
        ]
    )


def _plain(beat: Beat, kit: Kit) -> np.ndarray:
    """What one writes first: every hit read, resampled and added."""
    starts = np.maximum(0, np.rint(beat.onset_seconds() * HOUSE_RATE_HZ)).astype(int)
    mix = np.zeros((2, int(starts.max()) + 10 * HOUSE_RATE_HZ), np.float32)
    for start, event in zip(starts.tolist(), beat.events, strict=True):
        sound = read_audio(kit.piece(event.sample_id).path).at_rate(HOUSE_RATE_HZ).stereo()
        mix[:, start : start + sound.frames] += sound.samples * np.float32(event.vel)
    return mix


def _onset_errors(folder: Path) -> np.ndarray:
    """Measure, in samples, how far each click begins from where its event says."""
    click = (0.5 * np.exp(-np.arange(24) / 6)).astype(np.float32)
    errors = []
    for seed, rate_hz in enumerate((22_050, 44_100, 96_000)):
        path = write_audio(folder / f"click_{rate_hz}.wav", Audio(click, rate_hz), subtype="FLOAT")
        kit = Kit((Piece("click", "CORE", 36, 1.0, path),))
        generator = np.random.default_rng(seed)
        grid = Grid(float(generator.uniform(60, 180)), 16)
        offsets = np.abs(generator.normal(0, 12, 256))
        events = [Event(n // 16, n % 16, "CORE", "click", 1.0, 1, float(offsets[n])) for n in range(256)]
        beat = Beat(grid, tuple(events))
        sounding = np.abs(render(beat, kit, rate_hz).samples[0]) > 0
        found = np.flatnonzero(np.diff(np.concatenate([[False], sounding]).astype(int)) == 1)
        errors.append(found - np.sort(beat.onset_seconds()) * rate_hz)
    return np.concatenate(errors)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    """Give the best of a few rounds: others share the machine."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        result = work()
        rounds.append((time.perf_counter() - began, result))
    return min(rounds, key=lambda one: one[0])


if __name__ == "__main__":
    sys.exit(main())
