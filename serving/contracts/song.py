"""A song on the wire: what every separator is asked, and its stems as they come back, part after part.

SEPARATOR = song_contract("separator", STEM_NAMES)
for part in asked_in_parts(asker, SEPARATOR, STEM_NAMES, song): ...        # {stem: Audio}, one part after the other
stems = asked_whole(asker, SEPARATOR, STEM_NAMES, song)                   # {stem: Audio}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.music.audio import MAX_RATE_HZ, MIN_RATE_HZ, Audio
from serving.asker import Asker, Reply, whole
from serving.contract import Arrays, Axis, Capacity, ModelContract, Patience, Tensor

MAX_FRAMES = 6 * 60 * 48_000
"""Six minutes at 48 kHz."""
MAX_PART_FRAMES = 500_000
_BEEP_S = np.arange(4410) / 44_100


def song_contract(
    name: str, stems: Sequence[str], *more: Tensor, canary: Mapping[str, Any] = {}, tolerance: float = 1e-3
) -> ModelContract:
    """Write the contract of a model that turns a song into stems; it may take more than the song."""
    return ModelContract(
        name=name,
        inputs=(
            Tensor("mixture", "FP32", (2, Axis("t", MAX_FRAMES)), low=-1e6, high=1e6),
            Tensor("rate", "INT32", (1,), low=MIN_RATE_HZ, high=MAX_RATE_HZ),
            *more,
        ),
        outputs=(Tensor("stems", "FP32", (len(stems), 2, Axis("t", MAX_PART_FRAMES)), tolerance=tolerance),),
        canary={"mixture": np.tile(0.3 * np.sin(2 * np.pi * 220 * _BEEP_S), (2, 1)), "rate": [44_100], **canary},
        mode="stream",
        patience=Patience(first_s=60.0, between_s=60.0, canary_s=30.0),
        capacity=Capacity(at_once=1, waiting=1),
        gpu=True,
    )


def asked_in_parts(
    asker: Asker,
    contract: ModelContract,
    stems: Sequence[str],
    song: Audio,
    deadline_s: float | None = None,
    **more: NDArray[Any],
) -> Iterator[dict[str, Audio]]:
    """Ask for a song's stems, part by part, with its own rate and channels; whoever leaves early stops the work."""
    with asker.stream(contract, _asked(song, more), deadline_s) as parts:
        for part in parts:
            yield _spoken(part, stems, song)


def asked_whole(
    asker: Asker,
    contract: ModelContract,
    stems: Sequence[str],
    song: Audio,
    deadline_s: float | None = None,
    **more: NDArray[Any],
) -> dict[str, Audio]:
    """Ask for a song's stems and wait for all of them."""
    return _spoken(whole(asker, contract, _asked(song, more), deadline_s), stems, song)


def _asked(song: Audio, more: Arrays) -> Arrays:
    return {"mixture": np.array(song.stereo().samples), "rate": np.array([song.rate_hz], np.int32), **more}


def _spoken(reply: Reply, names: Sequence[str], song: Audio) -> dict[str, Audio]:
    stems = [Audio(stem, song.rate_hz, song.label) for stem in reply.arrays["stems"]]
    return dict(zip(names, [stem.mono() for stem in stems] if song.channels == 1 else stems, strict=True))
