"""The separator that plays along on the wire: a session of blocks in, and of each block its stems out, 23 ms late.

    with asker.session(SEPARATOR_LIVE) as session:
        for block in blocks:                            # float32[2, n BLOCK_FRAMES] at RATE_HZ
            stems = live_stems(session, block)          # {stem: float32[2, n BLOCK_FRAMES]}, DELAY_FRAMES behind the block

Each session is a stream of its own. After the last block as many silent frames as the delay bring out the end.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from serving.asker import Session
from serving.contract import Axis, Capacity, ModelContract, Patience, Tensor
from serving.contracts.separator import STEM_NAMES

RATE_HZ = 44_100
BLOCK_FRAMES = 512
"""Blocks are this long, or a multiple of it."""
MAX_BLOCKS = 128
DELAY_FRAMES = 512
"""So far the stems of a block lie behind it. With the block itself that makes 1024 frames, 23 ms."""
_MOST = Axis("t", MAX_BLOCKS * BLOCK_FRAMES, shortest=BLOCK_FRAMES)
_BEEP_S = np.arange(8 * BLOCK_FRAMES) / RATE_HZ

SEPARATOR_LIVE = ModelContract(
    name="separator_live",
    inputs=(Tensor("block", "FP32", (2, _MOST), low=-1e6, high=1e6),),
    outputs=(Tensor("stems", "FP32", (len(STEM_NAMES), 2, _MOST), tolerance=1e-3),),
    canary={"block": np.tile(0.3 * np.sin(2 * np.pi * 220 * _BEEP_S), (2, 1))},
    mode="session",
    patience=Patience(canary_s=10.0),
    capacity=Capacity(at_once=8, waiting=32, sessions=32, idle_s=60.0, memory_mb=64.0),
)


def live_stems(session: Session, block: ArrayLike, deadline_s: float | None = None) -> dict[str, NDArray[np.float32]]:
    """Go on with a block, and wait for its stems."""
    with session.ask({"block": np.ascontiguousarray(block, np.float32)}, deadline_s) as parts:
        [stems] = [part.arrays["stems"] for part in parts]
    return dict(zip(STEM_NAMES, stems, strict=True))
