"""Overlap and add: a song heard window by window, each faded into the next, and never held whole.

    for part in overlap_added(pieces, hear, window=343_980): ...     # [s, c, t] after [s, c, t]

`hear(around, start)` gets a stretch [c, t] of the song and where in it the window begins; it may listen to what lies around.
The fades of all windows that reach a sample are divided by their sum, so that what hears the mixture alone gives it back
unchanged. Each part leaves as soon as nothing more is added to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

# s stems, c channels, t samples
Samples = NDArray[np.float32]
Hear = Callable[[Samples, int], Samples]
OVERLAP = 0.25


def overlap_added(song: Iterator[Samples], hear: Hear, window: int, overlap: float = OVERLAP) -> Iterator[Samples]:
    """Hear pieces [c, t] that follow one another window by window; give parts [s, c, t] that do."""
    stride, fade = max(1, int((1 - overlap) * window)), triangle(window)
    kept, weights = None, fade[:0]
    for around, start in _windows(song, window, stride):
        found = hear(around, start)
        frames = found.shape[-1]
        heard, faded = fade[:frames] * found, fade[:frames].copy()
        if kept is not None:
            heard[..., : kept.shape[-1]] += kept
            faded[: len(weights)] += weights
        done = heard[..., :stride]
        done /= faded[:stride]
        yield done
        kept, weights = heard[..., stride:], faded[stride:]


def triangle(window: int) -> Samples:
    """How loud each sample of a window counts: up to its middle and down again, never nothing."""
    rising = np.arange(1, window // 2 + 1)
    falling = np.arange(window - window // 2, 0, -1)
    return (np.concatenate([rising, falling]) / (window - window // 2)).astype(np.float32)


def _windows(song: Iterator[Samples], window: int, stride: int) -> Iterator[tuple[Samples, int]]:
    """Give each window as its start in a stretch [c, t] that holds one more window on either side."""
    heard, start = next(song), 0
    while heard.shape[1] > start:
        while heard.shape[1] < start + 2 * window and (piece := next(song, None)) is not None:
            heard = np.concatenate([heard, piece], axis=1)
        yield heard, start
        past = max(0, start + stride - window)
        heard, start = heard[:, past:], start + stride - past
