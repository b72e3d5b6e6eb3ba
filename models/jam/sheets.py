"""Chords as lead sheets have them: markers in the MIDI itself, or a table in seconds beside it.

chords_written(path, read_score(path))        # ((0.0, Chord.parse("Am7")), …), or () where nobody wrote any
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.jam.chords import Chords, is_chord, written_chord
from models.music.chords import Chord
from models.music.errors import BadInput
from models.music.plain import reason

MIN_SHARE = 0.8
"""Of a file's markers, that must be chords if any of them is to be taken for one."""
SECTION_QUARTERS = 16
MAX_TABLE_BYTES = 1 << 20
HOUR_QUARTERS = 10_000
"""Beyond a score's end its last tempo goes on."""


def chords_written(path: Path, score: Any) -> Chords:
    """Read the chords that somebody wrote down, in quarters from the file's beginning."""
    markers = [(mark.time / score.ticks_per_quarter, mark.text) for mark in score.markers]
    chords = [(at, written_chord(text)) for at, text in markers if is_chord(text)]
    if chords and len(chords) >= MIN_SHARE * len(markers) and not _are_sections(markers):
        return in_order(chords)
    table = path.with_name(f"{path.stem}_chord.txt")
    return _table(table, score) if table.is_file() and table.stat().st_size <= MAX_TABLE_BYTES else ()


def _are_sections(markers: Sequence[tuple[float, str]]) -> bool:
    """Whether bare letters are too far apart for chords: A, B and C are what sections are called, too."""
    bare = all(len(text.strip()) == 1 for _, text in markers)
    return bare and len(markers) > 1 and markers[-1][0] - markers[0][0] > SECTION_QUARTERS * (len(markers) - 1)


def in_order(chords: Iterable[tuple[float, Chord | None]]) -> Chords:
    """Chords by their beginnings; of several at one place the last holds, and one that only goes on is left out."""
    latest = sorted(dict(chords).items())
    return tuple(chord for i, chord in enumerate(latest) if not i or chord[1] != latest[i - 1][1])


def shifted(chords: Chords, quarters: float, end: float = float("inf")) -> Chords:
    """Chords so many quarters later, from 0 to an end; what sounds at 0 begins there."""
    moved = [(at + quarters, chord) for at, chord in chords]
    sounding = [(0.0, chord) for at, chord in moved if at < 0][-1:]
    return in_order([*sounding, *((at, chord) for at, chord in moved if 0 <= at < end)])


def _table(table: Path, score: Any) -> Chords:
    """Read lines of beginning, end (in seconds) and symbol, such as POP909's; a chord begins on the nearest eighth."""
    clock, chords = TempoMap(score), []
    for number, line in enumerate(table.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        words = line.split()
        if words:
            try:
                begin, _, symbol = words
                chords.append((round(2 * clock.quarter(float(begin))) / 2, written_chord(symbol)))
            except (ValueError, BadInput) as error:
                raise BadInput(
                    f"{table.name}, line {number}: {reason(error)}. Give beginning, end and chord."
                ) from error
    return in_order(chords)


class TempoMap:
    """Which tick of a score sounds when."""

    def __init__(self, score: Any) -> None:
        changes = dict([(0, 500_000), *sorted((tempo.time, tempo.mspq) for tempo in score.tempos)])
        self.ticks_per_quarter = score.ticks_per_quarter
        self.ticks = np.array([*changes, max(*changes, score.end()) + HOUR_QUARTERS * score.ticks_per_quarter])
        self.seconds = np.cumsum([0.0, *np.diff(self.ticks) * [*changes.values()] / (1e6 * score.ticks_per_quarter)])

    def quarter(self, seconds: float) -> float:
        return float(np.interp(seconds, self.seconds, self.ticks)) / self.ticks_per_quarter

    def tempo_bpm(self, begin: float, end: float) -> float:
        """The mean tempo between two ticks: their quarters over their minutes; infinite where no time passes."""
        since, until = np.interp((begin, end), self.ticks, self.seconds)
        return 60 * (end - begin) / self.ticks_per_quarter / (until - since) if until > since else float("inf")
