"""Drum performances from a seed, with hands: a stand-in for the Groove MIDI Dataset where there is none.

    write_grooves("practice/grooves", performances=24, seed=1)       # drummerX/sessionY/*.mid and info.csv

Each drummer leans (before or behind the beat, drum by drum), hits harder or softer, swings more or less and wavers;
a session is one evening of one drummer. What is true of people holds here: the drums of a step are early together,
accents follow the bar, hats breathe between loud and soft, ghosts are quiet.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.music.files import whole_file
from models.music.grid import TICKS_PER_STEP
from models.music.midi import write_midi
from models.music.notes import Take

KICK, SNARE, HAT, OPEN, TOM, CRASH, RIDE = 36, 38, 42, 46, 47, 49, 51
STEPS = 16
SPLITS = ("train", "train", "train", "validation", "train", "test")
"""By session, in turn."""


@dataclass(frozen=True)
class Style:
    """A way to play: for each drum a bar of velocities from 0 to 9, a dot for silence and a comma for a possible ghost."""

    tempo_bpm: tuple[int, int]
    bar: dict[int, str]
    swing: float = 0.0
    """How late the second sixteenth of each pair is, in steps."""


STYLES = {
    "rock": Style((90, 140), {KICK: "9.......8.6.....", SNARE: "....9.......9...", HAT: "8.5.7.5.8.5.7.5."}),
    "funk": Style((85, 115), {KICK: "9..7......8..6..", SNARE: "....9,.,.,..9..,", HAT: "8363736383637363"}, 0.10),
    "hiphop": Style((78, 98), {KICK: "9......69.5.....", SNARE: "....9.......9..,", HAT: "7.5.7.547.5.7.5."}, 0.22),
    "jazz": Style((110, 170), {KICK: "4.......4.......", SNARE: ",..,.,....,..,.,", RIDE: "7...8..57...8..5", HAT: "....6.......6..."}, 0.3),
    "latin": Style((95, 125), {KICK: "8..68..68..68..6", SNARE: "..,7..,..7.,..7.", RIDE: "7.67.6767.67.676"}),
    "soul": Style((75, 105), {KICK: "9.....7.8.......", SNARE: "....8..,.,..8...", HAT: "7.6.7.6.7.6.7.64"}, 0.14),
}  # fmt: skip


@dataclass(frozen=True)
class Drummer:
    """What makes a pair of hands recognisable."""

    lean_ticks: dict[int, float]
    """Behind the beat, by drum."""
    waver_ticks: float
    loudness: float
    swing: float

    @classmethod
    def born(cls, generator: np.random.Generator) -> Drummer:
        lean = generator.normal(-4, 10)
        drums = (KICK, SNARE, HAT, OPEN, TOM, CRASH, RIDE)
        return cls(
            {drum: lean + generator.normal(0, 7) for drum in drums},
            generator.uniform(9, 18),
            generator.uniform(0.8, 1.1),
            generator.uniform(0.6, 1.3),
        )


def perform(style: Style, drummer: Drummer, bars: int, tempo_bpm: float, generator: np.random.Generator) -> Take:
    """Play a style for so many bars, a fill in each fourth."""
    rows = [row for bar in range(bars) for row in _bar(style, drummer, bar, generator)]
    return Take(np.array(rows), tempo_bpm, (4, 4))


def _bar(style: Style, drummer: Drummer, bar: int, generator: np.random.Generator) -> list[tuple[int, int, int, int]]:
    rows = []
    together = generator.normal(0, drummer.waver_ticks, STEPS)  # both hands are late together
    mood = generator.normal(0, 4)
    for drum, velocity in _score(style, bar, generator).items():
        for step in np.flatnonzero(velocity):
            late = drummer.lean_ticks[drum] + 0.7 * together[step] + 0.7 * generator.normal(0, drummer.waver_ticks)
            late += style.swing * drummer.swing * TICKS_PER_STEP * (step % 2)
            onset = (bar * STEPS + step) * TICKS_PER_STEP + np.clip(late, -110, 110)
            loud = velocity[step] * drummer.loudness + mood + generator.normal(0, 5)
            rows.append((drum, int(np.clip(loud, 5, 127)), max(0, round(onset)), TICKS_PER_STEP // 2))
    return rows


def _score(style: Style, bar: int, generator: np.random.Generator) -> dict[int, NDArray[np.float64]]:
    """Return one bar's velocities by drum: the style's, with ghosts that come and go and a fill in each fourth bar."""
    score = {}
    for drum, pattern in style.bar.items():
        marks = np.array([-1 if mark == "," else 0 if mark == "." else int(mark) for mark in pattern])
        ghosts = (marks < 0) * (generator.random(STEPS) < 0.6) * generator.uniform(18, 40, STEPS)
        stays = (generator.random(STEPS) < 0.95) | (np.arange(STEPS) == 0)
        score[drum] = np.where(marks > 0, marks * 13.0, ghosts) * stays
    if bar % 4 == 3:
        fill = (np.arange(STEPS) >= 12) * generator.uniform(60, 115, STEPS) * (generator.random(STEPS) < 0.8)
        score[TOM], score[SNARE] = fill, np.where(np.arange(STEPS) >= 12, 0, score[SNARE])
    if bar % 4 == 0 and generator.random() < 0.5:
        score[CRASH] = np.where(np.arange(STEPS) == 0, 105.0, 0.0)
    return score


def write_grooves(
    folder: str | os.PathLike[str], performances: int = 24, bars: int = 16, drummers: int = 4, seed: int = 0
) -> Path:
    """Write performances in the Groove MIDI Dataset's layout, each session in one split; the same seed, the same files."""
    folder, generator = Path(folder), np.random.default_rng(seed)
    people = [Drummer.born(generator) for _ in range(drummers)]
    names, rows = list(STYLES), []
    for index in range(performances):
        session = index % max(drummers, len(SPLITS))
        drummer, style = session % drummers, names[int(generator.integers(len(names)))]
        tempo = int(generator.integers(*STYLES[style].tempo_bpm))
        take = perform(STYLES[style], people[drummer], bars, tempo, generator)
        place = f"drummer{drummer + 1}/session{session + 1}"
        file = f"{place}/{index + 1}_{style}_{tempo}_beat_4-4.mid"
        write_midi(folder / file, take, drums=True)
        rows.append(
            (
                f"drummer{drummer + 1}",
                place,
                f"{place}/{index + 1}",
                style,
                tempo,
                "beat",
                "4-4",
                file,
                SPLITS[session % len(SPLITS)],
            )
        )
    with whole_file(folder / "info.csv") as part, open(part, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["drummer", "session", "id", "style", "bpm", "beat_type", "time_signature", "midi_filename", "split"]
        )
        writer.writerows(rows)
    return folder
