"""The groove model on the wire: hits in, notes out.

reply = groove(asker, hits, bars=2, mode="vary", temperature=0.8, seed=7)
reply.notes, reply.model_version
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.music.errors import BadInput
from serving.asker import Asker
from serving.contract import Axis, ModelContract, Tensor

MODES = ("humanise", "vary", "tap")
"""The wire carries the place in this tuple."""
MAX_BARS, MAX_HITS = 256, 8192

GROOVE = ModelContract(
    name="groove",
    inputs=(
        Tensor("hits", "INT32", (Axis("n", MAX_HITS, shortest=0), 4), low=0),
        Tensor("bars", "INT32", (1,), low=1, high=MAX_BARS),
        Tensor("temperature", "FP32", (1,), low=0.0, high=4.0),
        Tensor("mode", "INT32", (1,), low=0, high=len(MODES) - 1),
        Tensor("seed", "INT64", (1,)),
    ),
    outputs=(Tensor("notes", "INT32", (Axis("n", 4 * MAX_HITS, shortest=0), 4), tolerance=2),),
    canary={
        "hits": [[36, 100, 0, 240], [42, 80, 480, 240], [38, 110, 960, 240], [42, 70, 1440, 240]],
        "bars": [1],
        "temperature": [1.0],
        "mode": [0],
        "seed": [7],
    },
    max_batch=32,
    processes=2,
)


@dataclass(frozen=True)
class GrooveReply:
    """What the groove model played."""

    notes: NDArray[np.int32]
    """int32[n, 4]: pitch, velocity, onset_ticks, duration_ticks."""
    model_version: int


def groove(
    asker: Asker,
    hits: ArrayLike,
    bars: int,
    mode: str = "humanise",
    temperature: float = 0.0,
    seed: int = 0,
    deadline_s: float | None = None,
) -> GrooveReply:
    """Humanise or vary a beat of [n, 4] hits, or make one from taps."""
    if mode not in MODES:
        raise BadInput(f"groove: mode is {mode!r}; choose one of {', '.join(MODES)}.")
    arrays = {
        "hits": _whole("hits", hits, np.int32),
        "bars": _whole("bars", [bars], np.int32),
        "temperature": np.array([temperature], np.float32),
        "mode": np.array([MODES.index(mode)], np.int32),
        "seed": _whole("seed", [seed], np.int64),
    }
    if not arrays["hits"].size:
        arrays["hits"] = arrays["hits"].reshape(-1, 4)
    reply = asker.ask(GROOVE, arrays, deadline_s)
    return GrooveReply(reply.arrays["notes"], reply.model_version)


def player(
    asker: Asker, mode: str = "humanise", temperature: float = 0.0
) -> Callable[[NDArray[np.int32], int, int], NDArray[np.int32]]:
    """Give an asker the shape that beats and files are played by: hits, bars, seed -> notes."""
    return lambda hits, bars, seed: groove(asker, hits, bars, mode, temperature, seed).notes


def _whole(name: str, values: ArrayLike, kind: type[np.signedinteger[Any]]) -> NDArray[Any]:
    """Turn numbers into the wire's whole ones, or refuse those that would not be the same there."""
    try:
        given = np.asarray(values)
        with np.errstate(invalid="ignore"):
            sent = given.astype(kind)
    except (ValueError, TypeError, OverflowError) as error:
        raise BadInput(f"groove: {name} does not fit {kind.__name__} ({error}). Give whole numbers.") from error
    if not np.array_equal(sent, given):
        raise BadInput(f"groove: {name} does not fit {kind.__name__}; give whole numbers within its range.")
    return sent
