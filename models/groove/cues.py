"""What the decoder is told outright, as columns [hits 9 | all of them? | tap: hit, velocity, offset].

    controls = all_hits(cells)            # play exactly this score
    controls = some_hits(kept)            # these hits and what belongs with them
    controls = a_tap(tapped(cells))       # this rhythm, on drums of your choice
    controls = controls_for(config.controls, "humanise", cells)

Each takes and gives [..., T, columns], float64.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from models.groove.encoding import HITS, N_DRUMS, OFFSETS, OPEN_HAT, VELOCITIES, Array, tapped

Mode = Literal["humanise", "vary", "tap"]
MODES: tuple[Mode, ...] = ("humanise", "vary", "tap")
"""By their number on the wire."""
ALL, TAP = N_DRUMS, slice(N_DRUMS + 1, N_DRUMS + 4)
SCORE_WIDTH = N_DRUMS + 4


def all_hits(cells: Array) -> Array:
    """Tell every hit, and that there are no others."""
    controls = some_hits(cells)
    controls[..., ALL] = 1.0
    return controls


def some_hits(kept: Array) -> Array:
    """Tell some hits; there may be others."""
    controls = np.zeros((*kept.shape[:-1], SCORE_WIDTH))
    controls[..., HITS] = kept[..., HITS]
    return controls


def a_tap(tap: Array) -> Array:
    """Tell a rhythm with its dynamics and timing, and no drum."""
    controls = np.zeros((*tap.shape[:-1], SCORE_WIDTH))
    columns = [part.start + OPEN_HAT for part in (HITS, VELOCITIES, OFFSETS)]
    controls[..., TAP] = tap[..., columns]
    return controls


def controls_for(kind: str, mode: Mode, cells: Array) -> Array:
    """Return the columns that a model with controls of a kind is told in a mode; `cells` are the kept ones in "vary"."""
    if kind == "none":
        return np.zeros((*cells.shape[:-1], 0))
    if kind == "hits":
        return cells[..., HITS].copy()
    return {"humanise": all_hits, "vary": some_hits, "tap": lambda x: a_tap(tapped(x))}[mode](cells)
