"""Tempo, beats and bars against librosa, on practice songs and on real one-shots played by real drummers.

    python -m benchmarks.tempo [--data ../shared]

Drummers, kits and seeds are not those that anything was chosen or fitted on (benchmarks/tempo_fit.py). Accuracy 1 is a
tempo within 4 % of the metronome's, accuracy 2 also of a half, a third, twice or three times it; beat F is mir_eval's
within 70 ms over the whole clip; bars counts clips of whose downbeats half or more are right within 70 ms (librosa gives none). Clips start anywhere
in a performance. Brackets hold 95 % of a paired bootstrap of ours minus librosa's.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.near_real import REPORTED, Clip, near_real_clips
from benchmarks.recordings import add_data_argument, are_here
from benchmarks.tempo_fit import practice_clip
from benchmarks.wear import with_noise
from models.drums.tempo import find_tempo
from models.music.audio import Audio

NEAR, NEAR_S, NOISE_DB = 0.04, 0.07, 30.0
OCTAVES = (1.0, 1 / 2, 2.0, 1 / 3, 3.0)
PRACTICE_SEEDS, TWELVE_SECONDS, LONG_SECONDS = range(60), 12.0, 24.0
BARS = {"practice songs": 0.95, "real, 12 s": 0.75}
"""Least accuracy 1, and never below librosa's."""
Heard = tuple[float, NDArray[np.float64], NDArray[np.float64], float]
"""Tempo, beats, downbeats, how sure."""
Finder = Callable[[Audio], Heard]


def ours(audio: Audio) -> Heard:
    tempo = find_tempo(audio)
    return tempo.bpm, tempo.beats_s, tempo.downbeats_s, tempo.sure


def librosa_beats(audio: Audio) -> Heard:
    import librosa

    bpm, beats_s = librosa.beat.beat_track(y=audio.samples[0], sr=audio.rate_hz, units="time")
    return float(np.atleast_1d(bpm)[0]), beats_s, np.zeros(0), 0.0


def librosa_tempo(audio: Audio) -> Heard:
    import librosa

    bpm = librosa.feature.tempo(y=audio.samples[0], sr=audio.rate_hz)
    return float(bpm[0]), np.zeros(0), np.zeros(0), 0.0


FINDERS: dict[str, Finder] = {"ours": ours, "librosa": librosa_beats, "its tempo": librosa_tempo}


def score(clips: list[Clip], finder: Finder) -> dict[str, NDArray[np.float64]]:
    """Measure each clip: accuracies, beat F, downbeat F, how sure; and the whole's CPU seconds a second of sound."""
    from mir_eval.beat import f_measure

    began = time.process_time()
    found = [finder(clip.audio) for clip in clips]
    cpu_s = time.process_time() - began
    rows = []
    for clip, (bpm, beats_s, downbeats_s, sure) in zip(clips, found, strict=True):
        hits = [abs(bpm / (octave * clip.tempo_bpm) - 1) < NEAR for octave in OCTAVES]
        bars = _share_near(clip.downbeats_s, downbeats_s) >= 0.5
        beat_f = f_measure(clip.beats_s, beats_s, NEAR_S) if len(beats_s) else 0.0
        rows.append((hits[0], any(hits), beat_f, bars, sure))
    columns = np.array(rows, float).T
    scores = dict(zip(("acc 1", "acc 2", "beat F", "bars", "sure"), columns, strict=True))
    return scores | {"CPU s/s": np.array([cpu_s / sum(clip.audio.seconds for clip in clips)])}


def _share_near(truth_s: NDArray[np.float64], found_s: NDArray[np.float64]) -> float:
    """How many of both have a partner: 1 when all do."""
    from mir_eval.util import match_events

    pairs = len(match_events(truth_s, found_s, NEAR_S)) if len(found_s) else 0
    return 2 * pairs / max(len(truth_s) + len(found_s), 1)


def paired_interval(ours: NDArray[np.float64], theirs: NDArray[np.float64], rounds: int = 2000) -> tuple[float, float]:
    """Bound the mean difference by drawing clips again and again."""
    drawn = np.random.default_rng(0).integers(len(ours), size=(rounds, len(ours)))
    low, high = np.percentile((ours - theirs)[drawn].mean(1), (2.5, 97.5))
    return float(low), float(high)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_data_argument(parser)
    data = parser.parse_args().data
    rooms = {"practice songs": [practice_clip(seed, bars=8) for seed in PRACTICE_SEEDS]}
    if are_here(data):
        rooms["real, 12 s"] = near_real_clips(data, REPORTED)
        rooms["real, 12 s, -30 dB noise"] = [with_noise(c, NOISE_DB, n) for n, c in enumerate(rooms["real, 12 s"])]
        rooms["real, 24 s"] = near_real_clips(data, REPORTED, seconds=LONG_SECONDS)
    librosa_beats(rooms["practice songs"][0].audio)  # its compiler runs once, untimed
    missed = 0
    for room, clips in rooms.items():
        print(f"\n{room}: {len(clips)} clips")
        results = {name: score(clips, finder) for name, finder in FINDERS.items()}
        print(" " * 10 + "".join(f"{name:>9}" for name in results["ours"]))
        for name, scores in results.items():
            print(f"{name:<10}" + "".join(f"{values.mean():9.4f}" for values in scores.values()))
        for name in ("acc 1", "acc 2", "beat F"):
            low, high = paired_interval(results["ours"][name], results["librosa"][name])
            print(f"{name} over librosa: [{low:+.3f}, {high:+.3f}]", end="   ")
        accuracy = results["ours"]["acc 1"].mean()
        met = accuracy >= max(BARS.get(room, 0.0), results["librosa"]["acc 1"].mean())
        print(f"\naccuracy 1 not below librosa's nor {BARS.get(room, 0.0):g}: {'met' if met else 'MISSED'}")
        missed += not met
    return missed


if __name__ == "__main__":
    sys.exit(main())
