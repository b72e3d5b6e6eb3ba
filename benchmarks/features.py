"""The features of 1,000 one-shots: batched here, file by file with librosa.

    python -m benchmarks.features [--shots 1000] [--data ../shared]

Both run on one core in the same process, on the same prepared sounds (real ones where there are any, synthesised
otherwise). What both define is compared too: bar 1e-3, and at least 8 times faster.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.recordings import add_data_argument
from models.drums.roles.features import measure
from models.drums.roles.listening import FRAME, HOP, AudioConfig, Clip, prepare
from models.drums.roles.types import FEATURES
from models.music.audio import LISTENING_RATE_HZ, find_audio, read_audio

SAME = ("energy", "low_ratio", "mid_ratio", "high_ratio", "flatness", "zero_crossing_rate", "centroid", "crest")
SPEED_BAR, SAME_BAR = 8.0, 1e-3


def one_shots(folder: Path, count: int) -> list[Clip]:
    """Prepare real one-shots, again from the start when there are too few, or synthesised ones."""
    if (folder / "data" / "drums").is_dir():
        sounds = [read_audio(path) for path in find_audio(folder / "data" / "drums")[:count]]
    else:
        from models.practice.drum_sounds import KINDS, synthesise

        generator = np.random.default_rng(0)
        sounds = [synthesise(KINDS[i % len(KINDS)], generator) for i in range(min(count, 200))]
    clips = [prepare(sound, AudioConfig()) for sound in sounds]
    return [clips[i % len(clips)] for i in range(count)]


def by_librosa(clip: Clip) -> dict[str, float]:
    """Measure one sound the obvious way: a librosa call a feature, frames weighted by energy."""
    import librosa

    warnings.filterwarnings("ignore", "n_fft=.* is too large", UserWarning)  # the shortest sounds

    frames: dict[str, Any] = {"n_fft": FRAME, "hop_length": HOP}
    zeros: dict[str, Any] = {"frame_length": FRAME, "hop_length": HOP}
    rms = librosa.feature.rms(y=clip, frame_length=FRAME, hop_length=HOP, pad_mode="constant")[0]
    weights = rms**2 / (rms**2).sum()
    power = np.abs(librosa.stft(clip, **frames)) ** 2
    hz = librosa.fft_frequencies(sr=LISTENING_RATE_HZ, n_fft=FRAME)
    bands = [power[(hz >= low) & (hz < high)].sum() for low, high in ((20, 150), (150, 2_000), (2_000, 8_001))]
    flux = librosa.onset.onset_strength(y=clip, sr=LISTENING_RATE_HZ, **frames)
    envelope = librosa.feature.rms(y=clip, frame_length=64, hop_length=16)[0]
    top = int(envelope.argmax())
    return {
        "energy": rms.max(),
        "sharpness": flux.max() / 80,
        "attack": float(np.argmax(envelope >= 0.9 * envelope[top]) - np.argmax(envelope >= 0.1 * envelope[top])) / 80,
        "decay": float(np.flatnonzero(envelope[top:] >= 0.3 * envelope[top])[-1]) / 600,
        "low_ratio": bands[0] / sum(bands),
        "mid_ratio": bands[1] / sum(bands),
        "high_ratio": bands[2] / sum(bands),
        "flatness": librosa.feature.spectral_flatness(y=clip, pad_mode="constant", **frames)[0] @ weights,
        "zero_crossing_rate": librosa.feature.zero_crossing_rate(clip, **zeros)[0] @ weights,
        "centroid": librosa.feature.spectral_centroid(y=clip, sr=LISTENING_RATE_HZ, pad_mode="constant", **frames)[0]
        @ weights
        / (LISTENING_RATE_HZ / 2),
        "crest": 20 * np.log10(np.abs(clip).max() / np.sqrt((clip**2).mean())) / 40,
    }


def table_of(clips: list[Clip]) -> NDArray[np.float32]:
    return np.stack([features.as_array() for features in measure(clips)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shots", type=int, default=1000, help="how many")
    add_data_argument(parser)
    asked = parser.parse_args()
    count = asked.shots
    warnings.filterwarnings("ignore", message="n_fft=1024 is too large")  # short hits; the numbers are the same
    clips = one_shots(asked.data, count)
    by_librosa(clips[0])  # librosa compiles at its first call
    measure(clips[:1])  # and we lay out filters
    began = time.process_time()
    ours = table_of(clips)
    ours_s = time.process_time() - began
    began = time.process_time()
    theirs = [by_librosa(clip) for clip in clips]
    theirs_s = time.process_time() - began
    seconds = sum(map(len, clips)) / LISTENING_RATE_HZ
    print(f"{count} one-shots, {seconds:.0f} s of sound, CPU time on one core")
    print(f"{'batched':24}{1e3 * ours_s / count:8.2f} ms a shot")
    print(f"{'librosa, file by file':24}{1e3 * theirs_s / count:8.2f} ms a shot")
    print(f"{'ratio':24}{theirs_s / ours_s:8.1f}  (bar {SPEED_BAR})")
    worst = {
        name: max(abs(ours[i, FEATURES.index(name)] - min(t[name], 1.0)) for i, t in enumerate(theirs)) for name in SAME
    }
    for name, distance in worst.items():
        print(f"{name:24}{distance:8.1e} apart at most  (bar {SAME_BAR})")
    return int(theirs_s / ours_s < SPEED_BAR or max(worst.values()) > SAME_BAR)


if __name__ == "__main__":
    sys.exit(main())
