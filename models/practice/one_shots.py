"""Folders of labelled one-shots made from a seed: practice/kick/kick_01.wav and so on.

write_one_shots("pack", each=6, seed=1)          # a small pack: the kit's kinds
write_library("practice", each=30, seed=0)       # the kit's, and everything of the palette besides
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from models.music.audio import Audio, write_audio
from models.music.errors import BadConfig
from models.practice.drum_sounds import KINDS, synthesise
from models.practice.palette import PALETTE, palette_sound


def write_one_shots(folder: str | os.PathLike[str], each: int, seed: int) -> int:
    """Write so many sounds of every kind of the kit, a folder a kind; count them."""
    return _write(Path(folder), "{kind}_{number:02d}.wav", _kit(_checked(each), seed))


def write_library(folder: str | os.PathLike[str], each: int, seed: int) -> int:
    """Write so many sounds of every kind of the kit and of every recipe of the palette, a folder a kind; count them."""
    kit = write_one_shots(folder, each, seed)
    return kit + _write(Path(folder), "palette_{kind}_{number:04d}.wav", _palette(each, seed))


def _kit(each: int, seed: int) -> Iterator[tuple[str, Audio]]:
    generator = np.random.default_rng(seed)
    return ((kind, synthesise(kind, generator)) for kind in KINDS for _ in range(each))


def _palette(each: int, seed: int) -> Iterator[tuple[str, Audio]]:
    for number, (kind, recipes) in enumerate(PALETTE.items()):
        generator = np.random.default_rng([seed, number])
        yield from ((kind, palette_sound(kind, generator)) for _ in range(each * recipes))


def _write(folder: Path, name: str, sounds: Iterator[tuple[str, Audio]]) -> int:
    written: Counter[str] = Counter()
    for kind, sound in sounds:
        written[kind] += 1
        write_audio(folder / kind / name.format(kind=kind, number=written[kind]), sound)
    return written.total()


def _checked(each: int) -> int:
    if each < 0:
        raise BadConfig(f"practice sounds: {each} of each kind; give 0 or more.")
    return each
