"""The recordings that benchmarks learn from and judge on; whoever has others gives their folder.

    add_data_argument(parser)                        # --data FOLDER
    for shot in one_shots(folder, "muldjord"): ...

A folder holds `data/SOURCES.csv`, a row for each one-shot with the columns path (under data/, and under drums/ in it),
label (kick, snare, clap, hihat, tom, cymbal, perc, fx), sublabel (hihat_open, crash, ride and so on, or nothing) and maker;
and `data/groove_midi/drummerN/…_beat_4-4.mid`, performances as in the Groove MIDI Dataset, where drummers play.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.music.audio import HOUSE_RATE_HZ, read_audio

SHARED = Path(__file__).resolve().parents[2] / "shared"
NOT_ONE_STROKE = frozenset({"snare_rest", "brush"})
"""Sublabels of recordings that hold several attacks (a stick left to bounce, a brush stirred): their truth is unknown."""


class OneShot(NamedTuple):
    """A recording of one hit."""

    maker: str
    kind: str
    sound: NDArray[np.float32]
    """float32[t] at the house rate, peak 1."""


def add_data_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, default=SHARED, help="folder with data/SOURCES.csv (benchmarks/recordings.py)"
    )


def are_here(folder: Path) -> bool:
    """Say so where there are none."""
    if (folder / "data/SOURCES.csv").is_file():
        return True
    print(f"{folder} has no data/SOURCES.csv; recordings are not part of the project. Give a folder with --data.")
    return False


def rows(folder: Path) -> list[dict[str, str]]:
    """Read what is known of each one-shot."""
    with open(folder / "data/SOURCES.csv", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["path"].startswith("drums/")]


def one_shots(folder: Path, maker: str = "") -> Iterator[OneShot]:
    """Read a maker's recordings of one hit each, or everybody's; open hats, crashes and rides are kinds of their own."""
    for row in rows(folder):
        if maker not in ("", row["maker"]) or row["sublabel"] in NOT_ONE_STROKE or row["label"] == "fx":
            continue
        kind = row["sublabel"] if row["label"] == "cymbal" else row["label"]
        kind = "openhat" if row["sublabel"] == "hihat_open" else "crash" if kind == "china" else kind
        sound = read_audio(folder / "data" / row["path"]).mono().at_rate(HOUSE_RATE_HZ).samples[0]
        yield OneShot(row["maker"], kind, sound / np.abs(sound).max())


def makers(folder: Path) -> list[str]:
    """Name everybody who recorded one-shots."""
    return sorted({row["maker"] for row in rows(folder) if row["label"] != "fx"})
