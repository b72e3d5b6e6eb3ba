"""What the learned scorer sees of a one-shot: a small log-mel picture, fine at the attack and coarse in the tail.

pictures = draw(clips)                  # float32[c, MELS, SPANS]: -1 is 80 dB below the loudest cell, 1 is the loudest
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.drums.roles.listening import Clip, Frames, batches, listen

EDGES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 24, 29, 35, 42, 51, 62, 75, 90, 107, 125)
"""Where each span begins, in frames of 16 ms: single frames for 160 ms, then ever longer ones up to 2 s."""
SPANS = len(EDGES) - 1
FLOOR_DB = 80.0


def draw(clips: Sequence[Clip]) -> NDArray[np.float32]:
    """Draw prepared clips: float32[c, MELS, SPANS]."""
    return np.concatenate([draw_frames(listen(batch)) for batch in batches(clips)])


def draw_frames(frames: Frames) -> NDArray[np.float32]:
    """Draw clips whose frames are there already."""
    running = np.zeros((len(frames.mel) + 1, frames.mel.shape[1]))
    np.cumsum(frames.mel, axis=0, dtype=np.float64, out=running[1:])
    edges = frames.starts[:, None] + np.minimum(EDGES, frames.counts[:, None])
    power = np.maximum(np.diff(running[edges], axis=1), 0.0) / np.diff(EDGES)[:, None]
    loudest = np.maximum(power.max(axis=(1, 2), keepdims=True), 1e-20)
    loudness_db = 10 * np.log10(power / loudest + 10 ** (-FLOOR_DB / 10))
    picture = np.maximum(loudness_db, -FLOOR_DB) / (FLOOR_DB / 2) + 1
    return picture.transpose(0, 2, 1).astype(np.float32)
