"""A separator on the wire: a song in, its stems out, part after part as they are made.

for part in separator(asker, song): ...          # {stem: Audio}, one part after the other
stems = whole_stems(asker, song)                 # {stem: Audio}
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from models.music.audio import MAX_RATE_HZ, MIN_RATE_HZ, Audio
from serving.asker import Asker
from serving.contract import Axis, Capacity, ModelContract, Patience, Tensor

STEM_NAMES: tuple[str, ...] = ("drums", "bass", "other", "vocals")
"""The order of the stems."""
MAX_FRAMES = 6 * 60 * 48_000
"""Six minutes at 48 kHz."""
MAX_PART_FRAMES = 500_000
_BEEP_S = np.arange(4410) / 44_100

SEPARATOR = ModelContract(
    name="separator",
    inputs=(
        Tensor("mixture", "FP32", (2, Axis("t", MAX_FRAMES)), low=-1e6, high=1e6),
        Tensor("rate", "INT32", (1,), low=MIN_RATE_HZ, high=MAX_RATE_HZ),
    ),
    outputs=(Tensor("stems", "FP32", (len(STEM_NAMES), 2, Axis("t", MAX_PART_FRAMES)), tolerance=1e-3),),
    canary={"mixture": np.tile(0.3 * np.sin(2 * np.pi * 220 * _BEEP_S), (2, 1)), "rate": [44_100]},
    mode="stream",
    patience=Patience(first_s=60.0, between_s=60.0, canary_s=30.0),
    capacity=Capacity(at_once=1, waiting=1),
    gpu=True,
)


def separator(asker: Asker, song: Audio, deadline_s: float | None = None) -> Iterator[dict[str, Audio]]:
    """Ask for a song's stems, part by part, with its own rate and channels; whoever leaves early stops the work."""
    asked = {"mixture": np.array(song.stereo().samples), "rate": np.array([song.rate_hz], np.int32)}
    with asker.stream(SEPARATOR, asked, deadline_s) as parts:
        for part in parts:
            sounds = [Audio(stem, song.rate_hz, song.label) for stem in part.arrays["stems"]]
            yield {
                name: sound.mono() if song.channels == 1 else sound
                for name, sound in zip(STEM_NAMES, sounds, strict=True)
            }


def whole_stems(asker: Asker, song: Audio, deadline_s: float | None = None) -> dict[str, Audio]:
    """Ask for a song's stems and wait for all of them."""
    parts = list(separator(asker, song, deadline_s))
    joined = {name: np.concatenate([part[name].samples for part in parts], axis=1) for name in STEM_NAMES}
    return {name: replace(parts[0][name], samples=samples) for name, samples in joined.items()}
