"""Fit what models/drums/tempo.py weighs, and write it to models/drums/tempo.json.

    python -m benchmarks.tempo_fit [--data ../shared]

On drummers, kits and practice seeds that benchmarks/tempo.py never reports. Of all ways to count a clip, those within
4 % of the tempo whose bars begin within 70 ms of the true ones are right; the regression raises their share of the odds.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.near_real import TUNED, Clip, near_real_clips
from benchmarks.recordings import add_data_argument, are_here
from models.drums.pulse import BANDS_HZ, FRAMES_A_SECOND, REPEATS, STEPS, hear, readings
from models.drums.tempo import LATE_S, SAME, WEIGHTS
from models.music.files import write_text
from models.practice.songs import compose

PRACTICE_SEEDS = range(10_000, 10_100)
RIDGE, NEAR_S = 60.0, 0.07
Array = NDArray[np.float64]


def practice_clip(seed: int, tempo_bpm: float = 0.0, bars: int = 6) -> Clip:
    """The drums of a practice song, whose first bar begins at once."""
    song = compose(np.random.default_rng(seed), bars=bars, tempo_bpm=tempo_bpm)
    drums = song.stems["drums"].mono()
    none = np.zeros(0)
    return Clip(drums, none, none, song.grid.tempo_bpm, 0.0)


def lesson_clips(data: Path) -> list[Clip]:
    """Everything that may be learnt from: two lengths, two velocity curves, and the practice room."""
    parts = ((360, 12.0, 1.0, 11), (240, 12.0, 2.0, 12), (240, 24.0, 1.0, 13))
    clips = [practice_clip(seed) for seed in PRACTICE_SEEDS]
    for count, seconds, curve, seed in parts:
        clips += near_real_clips(data, dataclasses.replace(TUNED, seed=seed), curve, count, seconds)
    return clips


def counted(clip: Clip) -> tuple[Array, NDArray[np.bool_]]:
    """Every way to count a clip, float64[ways, features], and which of them are right."""
    features, right = [], []
    for reading in readings(hear(clip.audio)):
        bar_s = 240 / clip.tempo_bpm
        for first in range(STEPS):
            begins_s = reading.steps_from(first, STEPS) / FRAMES_A_SECOND - LATE_S
            off_s = (begins_s - clip.first_downbeat_s + bar_s / 2) % bar_s - bar_s / 2
            near = len(off_s) > 0 and abs(np.median(off_s)) < NEAR_S
            right.append(near and abs(reading.bpm / clip.tempo_bpm - 1) < SAME)
        features.append(reading.bars)
    return np.concatenate(features), np.array(right)


def fit(lessons: list[tuple[Array, NDArray[np.bool_]]]) -> Array:
    """Maximise the share of the odds that is right, with a ridge on standardised features."""
    lessons = [(ways, right) for ways, right in lessons if right.any()]
    ways, right = np.concatenate([w for w, _ in lessons]), np.concatenate([r for _, r in lessons])
    spread = ways.std(0) + 1e-6
    ways = (ways - ways.mean(0)) / spread
    sizes = [len(r) for _, r in lessons]
    starts, clip_of = np.cumsum([0, *sizes[:-1]]), np.repeat(np.arange(len(sizes)), sizes)

    def loss(weights: Array) -> tuple[float, Array]:
        score = ways @ weights
        odds = np.exp(score - np.maximum.reduceat(score, starts)[clip_of])
        whole, good = np.add.reduceat(odds, starts), np.add.reduceat(odds * right, starts)
        pull = odds / whole[clip_of] - odds * right / good[clip_of]
        cost = -np.log(good / whole).sum() + RIDGE / 2 * weights @ weights
        return float(cost), ways.T @ pull + RIDGE * weights

    return minimize(loss, np.zeros(ways.shape[1]), jac=True, method="L-BFGS-B").x / spread


def main() -> int:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    data = parser.parse_args().data
    if not are_here(data):
        return 1
    weights = fit([counted(clip) for clip in lesson_clips(data)])
    bar, rest = np.split(np.round(weights, 4), [STEPS * len(BANDS_HZ)])
    bands = dict(zip(("low", "middle", "high"), bar.reshape(STEPS, -1).T.tolist(), strict=True))
    names = ("octaves", "octaves squared", *(f"repeats after {r:.3g} beats" for r in REPEATS), "on the beat", "astray")
    tempo = dict(zip(names, rest.tolist(), strict=True))
    rows = ",\n".join(f'  "{band}": {json.dumps(steps)}' for band, steps in bands.items())
    write_text(WEIGHTS, f'{{\n"bar": {{\n{rows}\n}},\n"tempo": {json.dumps(tempo, indent=2)}\n}}\n')
    print(f"wrote {WEIGHTS.name}: {len(weights)} weights")
    return 0


if __name__ == "__main__":
    sys.exit(main())
