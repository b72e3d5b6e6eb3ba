"""A folder of labelled one-shots made from a seed: practice/kick/kick_01.wav and so on.

write_one_shots("practice", each=40, seed=0)
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from models.music.audio import write_audio
from models.music.errors import BadConfig
from models.practice.drum_sounds import KINDS, synthesise


def write_one_shots(folder: str | os.PathLike[str], each: int, seed: int) -> int:
    """Write so many sounds of every kind, a folder a kind; count them."""
    if each < 0:
        raise BadConfig(f"practice sounds: {each} of each kind; give 0 or more.")
    generator = np.random.default_rng(seed)
    for kind in KINDS:
        for number in range(1, each + 1):
            write_audio(Path(folder) / kind / f"{kind}_{number:02d}.wav", synthesise(kind, generator))
    return each * len(KINDS)
