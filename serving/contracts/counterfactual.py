"""The counterfactual separator on the wire: a song in, its vocals and everything else out, part after part.

for part in counterfactual(asker, song, steps=5, seed=7): ...        # {"vocals": Audio, "instrumental": Audio}
parts = whole_parts(asker, song, steps=50)                           # the same, whole
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.music.audio import Audio
from serving.asker import Asker
from serving.contract import Arrays, Tensor
from serving.contracts.song import asked_in_parts, asked_whole, song_contract

PART_NAMES: tuple[str, ...] = ("vocals", "instrumental")
"""The order of the parts."""
MAX_STEPS = 200

COUNTERFACTUAL = song_contract(
    "counterfactual",
    PART_NAMES,
    Tensor("steps", "INT32", (1,), low=1, high=MAX_STEPS, optional=True),
    Tensor("seed", "INT64", (1,), low=0, optional=True),
    canary={"steps": [2], "seed": [7]},
    tolerance=1e-2,
)


def counterfactual(
    asker: Asker, song: Audio, steps: int = 0, seed: int = 0, deadline_s: float | None = None
) -> Iterator[dict[str, Audio]]:
    """Ask for a song's vocals and instrumental, part by part; 0 steps take the model's own number."""
    return asked_in_parts(asker, COUNTERFACTUAL, PART_NAMES, song, deadline_s, **_asked(steps, seed))


def whole_parts(
    asker: Asker, song: Audio, steps: int = 0, seed: int = 0, deadline_s: float | None = None
) -> dict[str, Audio]:
    """Ask for a song's vocals and instrumental, and wait for all of them."""
    return asked_whole(asker, COUNTERFACTUAL, PART_NAMES, song, deadline_s, **_asked(steps, seed))


def _asked(steps: int, seed: int) -> Arrays:
    asked = {"seed": np.array([seed], np.int64)}
    return {**asked, "steps": np.array([steps], np.int32)} if steps else asked
