"""A MIDI file in, the same file as a human would play it out, whoever plays.

    play_file("beat.mid", "out", play, "humanise", timing=0.8, velocity=1.0, seed=1)     # out/beat_1.mid

`play(hits, bars, seed) -> notes` is a humaniser in this process or a server's.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.groove.dials import blend
from models.groove.humaniser import request_for
from models.music.errors import BadInput
from models.music.files import numbered
from models.music.midi import find_midi, read_midi, write_midi

Notes = NDArray[np.int32]


def play_file(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    play: Callable[[Notes, int, int], Notes],
    mode: str = "humanise",
    timing: float = 1.0,
    velocity: float = 1.0,
    seed: int = 0,
) -> int:
    """Play every MIDI file at a path into numbered files of a folder; return how many notes they have."""
    count = 0
    for file in find_midi(source):
        take = read_midi(file, drums=True)
        request = request_for(take, mode, 0.0, seed)  # type: ignore[arg-type]
        if mode == "humanise":
            rows = blend(take.notes, play(request.hits, request.bars, seed), timing, velocity)
        elif (timing, velocity) == (1.0, 1.0):
            rows = play(request.hits, request.bars, seed)
        else:
            raise BadInput(f"mode is {mode!r}: timing and velocity blend the same notes; leave them at 1, or humanise.")
        with numbered(folder) as number:
            write_midi(Path(folder, f"{file.stem}_{number}.mid"), take.with_notes(rows), drums=True)
        count += len(rows)
    return count
