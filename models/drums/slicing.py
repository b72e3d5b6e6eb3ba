"""Cut a drum stem into one-shots: each hit with its tail, without clicks, as loud as the others.

    hits = slice_hits(audio, find_onsets(audio).seconds)
    hits[0].audio, hits[0].start_s, hits[0].whole

A hit lasts until the next one begins or until its tail has fallen silent, whichever comes first. What it was like in
its place (clipped, cut off, over what noise) is kept beside it, for choosing the cleanest of many.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.music.audio import Audio
from models.music.errors import BadConfig

# c channels, t samples
ENVELOPE_MS = 10.0
CLIPPED_AT, CLIPPED_RUN = 0.999, 3
SILENT = 1e-6
QUIETEST_DB = -96.0


@dataclass(frozen=True)
class SliceConfig:
    """How hits are cut."""

    lead_ms: float = 1.0
    """Kept before the attack; the fade-in lies in it, so the attack itself is untouched."""
    fade_out_ms: float = 8.0
    """Length of the fade at the end."""
    tail_db: float = -60.0
    """A tail is over when it stays so far below the hit's peak."""
    min_ms: float = 30.0
    """A shorter hit is left out."""
    max_s: float = 4.0
    """A longer one is faded out there."""
    peak: float = 0.95
    """Every hit is brought to this peak; 0 leaves the levels as they were."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("lead_ms", 0, 50),
            ("fade_out_ms", 0, 500),
            ("tail_db", -120, -10),
            ("min_ms", 1, 1000),
            ("max_s", 0.05, 60),
            ("peak", 0, 1),
        ):
            if not low <= getattr(self, name) <= high:
                raise BadConfig(f"slices: {name} is {getattr(self, name)}; give {low} to {high}.")


@dataclass(frozen=True)
class Hit:
    """One stroke cut out, and what it was like in its place."""

    audio: Audio
    source: str
    """Label of the file it was cut from."""
    start_s: float
    """Where it began there."""
    peak: float
    """Its peak before it was normalised."""
    before_db: float
    """Level just before the attack under the hit's own peak: what still rang, or noise."""
    clipped: int
    """Samples at full scale, in runs."""
    whole: bool
    """Whether the tail ended by itself before the next hit or the end of the file."""


def slice_hits(
    audio: Audio, onsets_s: ArrayLike, config: SliceConfig | None = None, *, offset_s: float = 0.0
) -> list[Hit]:
    """Cut one hit for each onset that is loud and long enough; offset_s is where this audio lies in its file."""
    config = config or SliceConfig()
    rate_hz, loudness = audio.rate_hz, np.abs(audio.samples).max(0)
    starts = np.unique(np.round(np.asarray(onsets_s, np.float64) * rate_hz).astype(int))
    starts = starts[(starts >= 0) & (starts < audio.frames)]
    lead, longest = round(config.lead_ms * rate_hz / 1000), round(config.max_s * rate_hz)
    hits = []
    for start, following in zip(starts, [*starts[1:], audio.frames], strict=False):
        limit = min(following - (lead if following < audio.frames else 0), start + longest)
        stop, whole = _tail_end(loudness[start:limit], rate_hz, config.tail_db)
        if stop * 1000 < config.min_ms * rate_hz or loudness[start : start + stop].max() < SILENT:
            continue
        before = loudness[max(0, start - rate_hz // 50) : max(0, start - lead)]
        cut = _cut(audio, max(0, start - lead), start, start + stop, config)
        peak = float(loudness[start : start + stop].max())
        rms = float(np.sqrt(np.mean(before**2))) if len(before) else 0.0
        level_db = 20 * float(np.log10(max(rms, 1e-9) / peak))
        clipped = _clipped(loudness[start : start + stop])
        place_s = offset_s + float(start) / rate_hz
        hits.append(Hit(cut, audio.label, place_s, peak, max(level_db, QUIETEST_DB), clipped, whole))
    return hits


def _tail_end(loudness: NDArray[np.float32], rate_hz: int, tail_db: float) -> tuple[int, bool]:
    """Find where a tail has fallen silent for good, and whether it has before the room ends."""
    step = max(1, round(ENVELOPE_MS * rate_hz / 1000))
    blocks = np.maximum.reduceat(loudness, np.arange(0, len(loudness), step))
    heard = np.flatnonzero(blocks > blocks.max() * 10 ** (tail_db / 20))
    if len(heard) == 0:
        return 0, True
    last = int(heard[-1]) + 1
    return min(last * step, len(loudness)), last < len(blocks)


def _cut(audio: Audio, first: int, start: int, stop: int, config: SliceConfig) -> Audio:
    """Copy first..stop, fade in up to start and out before stop, bring to the peak."""
    samples = audio.samples[:, first:stop].copy()
    into, out = start - first, min(round(config.fade_out_ms * audio.rate_hz / 1000), (stop - start) // 2)
    samples[:, :into] *= _rise(into)
    if out:
        samples[:, -out:] *= _rise(out)[::-1]
    peak = float(np.abs(samples).max())
    gain = config.peak / peak if config.peak and peak else 1.0
    return Audio(samples * np.float32(gain), audio.rate_hz, audio.label)


def _rise(length: int) -> NDArray[np.float32]:
    """Half a cosine from 0 to 1: no corner at either end."""
    return (0.5 - 0.5 * np.cos(np.pi * np.arange(length) / max(length, 1))).astype(np.float32)


def _clipped(loudness: NDArray[np.float32]) -> int:
    """Count samples at full scale that stand in runs; a lone one is just a peak."""
    full = np.concatenate([[0], (loudness >= CLIPPED_AT).astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(full))
    runs = edges[1::2] - edges[::2]
    return int(runs[runs >= CLIPPED_RUN].sum())
