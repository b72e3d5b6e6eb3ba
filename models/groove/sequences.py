"""The doors of the groove's grid: MIDI files and note-seq's NoteSequences become cells, and cells become sequences.

    cells = cells_of_file("drummer1/session1/1_funk_80_beat_4-4.mid")   # [T, 27]; empty where it is not one tempo in 4/4
    sequence = sequence_of_file("beat.mid")                             # a NoteSequence, from the file's own ticks
    cells = cells_of_sequence(sequence, GM)
    sequence = sequence_of_cells(cells, tempo_bpm=96)

Times come from raw ticks in float64: a file's seconds in float32 would move notes across the half step.
Only the two functions that make or read NoteSequences import note_seq; it is slow to load and the server has none.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.groove.encoding import ROLAND, WIDTH, Array, PitchTable, from_cells, to_cells
from models.music.errors import BadMidi
from models.music.grid import TICKS_PER_STEP
from models.music.midi import read_score
from models.music.notes import Take

if TYPE_CHECKING:
    from note_seq.protobuf.music_pb2 import NoteSequence

DEFAULT_TEMPO_BPM = 120.0
DRUM_INSTRUMENT = 9


@dataclass(frozen=True)
class Performance:
    """What was played, in seconds: the plain numbers between a file, a NoteSequence and the grid."""

    notes: NDArray[np.float64]
    """float64[n, 4]: pitch, velocity, start and end in seconds, in the file's order of note ends."""
    tempos_bpm: tuple[float, ...] = (DEFAULT_TEMPO_BPM,)
    meters: tuple[tuple[int, int], ...] = ()
    label: str = "performance"

    def on_one_grid(self) -> bool:
        """Whether one tempo and one meter of sixteen sixteenths a bar hold throughout."""
        return len(self.tempos_bpm) == 1 and len(self.meters) <= 1 and all(top == bottom for top, bottom in self.meters)

    def cells(self, table: PitchTable = ROLAND) -> Array:
        """Put the notes on the grid: [T, 27], T = 0 where there is no single grid of 4/4."""
        if not self.on_one_grid():
            return np.zeros((0, WIDTH))
        steps_per_second = 4.0 * self.tempos_bpm[0] / 60.0
        return to_cells(self.notes[:, 0], self.notes[:, 1], self.notes[:, 2] * steps_per_second, table)


def performance_of_file(path: str | os.PathLike[str]) -> Performance:
    """Read a MIDI file's drums with their times from raw ticks, or raise BadMidi in a sentence."""
    path = Path(path)
    score = read_score(path)
    scales = [(0, 60.0 / (DEFAULT_TEMPO_BPM * score.ticks_per_quarter))]
    for tempo in sorted(score.tempos, key=lambda tempo: tempo.time):
        if tempo.mspq < 1:
            raise BadMidi(f"{path.name}: a tempo of {tempo.mspq} µs a quarter; at least 1 is needed. Export it again.")
        scale = 60.0 / (6e7 / tempo.mspq * score.ticks_per_quarter)
        if tempo.time == 0:
            scales = [(0, scale)]
        elif scale != scales[-1][1]:
            scales.append((tempo.time, scale))
    rows = np.array(
        [
            (note.pitch, note.velocity, note.time, note.end)
            for track in score.tracks
            for note in sorted(track.notes, key=lambda note: (note.end, note.time))
            if note.duration > 0 and note.velocity > 0
        ],
        np.float64,
    ).reshape(-1, 4)
    rows[:, 2:] = _seconds(rows[:, 2:], scales)
    tempos = tuple(60.0 / (scale * score.ticks_per_quarter) for _, scale in scales)
    meters = tuple((m.numerator, m.denominator) for m in score.time_signatures)
    return Performance(rows, tempos, tuple(dict.fromkeys(meters)), path.name)


def _seconds(ticks: NDArray[np.float64], scales: list[tuple[int, float]]) -> NDArray[np.float64]:
    """Turn ticks into seconds along the tempo changes (tick, seconds per tick)."""
    seconds, begin_s = np.zeros_like(ticks), 0.0
    for index, (begin, scale) in enumerate(scales):
        end = scales[index + 1][0] if index + 1 < len(scales) else np.inf
        inside = (ticks >= begin) & (ticks < end)
        seconds[inside] = begin_s + (ticks[inside] - begin) * scale
        begin_s += 0.0 if np.isinf(end) else (end - begin) * scale
    return seconds


def cells_of_file(path: str | os.PathLike[str], table: PitchTable = ROLAND) -> Array:
    """Read a file's whole performance as cells [T, 27]; T = 0 where it has several tempos or is not in 4/4."""
    return performance_of_file(path).cells(table)


def performance_of_sequence(sequence: NoteSequence) -> Performance:
    """Take a NoteSequence's plain numbers; a missing tempo means 120 bpm, a missing meter 4/4."""
    notes = [(n.pitch, n.velocity, n.start_time, n.end_time) for n in sequence.notes]
    tempos = tuple(tempo.qpm for tempo in sequence.tempos) or (DEFAULT_TEMPO_BPM,)
    meters = tuple(dict.fromkeys((m.numerator, m.denominator) for m in sequence.time_signatures))
    return Performance(np.array(notes, np.float64).reshape(-1, 4), tempos, meters, sequence.filename or "sequence")


def cells_of_sequence(sequence: NoteSequence, table: PitchTable = ROLAND) -> Array:
    """Put a NoteSequence on the grid: [T, 27]; T = 0 where it has several tempos or is not in 4/4."""
    return performance_of_sequence(sequence).cells(table)


def sequence_of_file(path: str | os.PathLike[str]) -> NoteSequence:
    """Read a MIDI file as a NoteSequence, its times from raw ticks in float64."""
    performance = performance_of_file(path)
    return _sequence(performance.notes, performance.tempos_bpm[0], performance.meters or ((4, 4),), performance.label)


def sequence_of_cells(cells: Array, table: PitchTable = ROLAND, tempo_bpm: float = DEFAULT_TEMPO_BPM) -> NoteSequence:
    """Write cells as a NoteSequence at a tempo; an early note on step 0 keeps its negative start."""
    return _sequence(from_cells(cells, table, tempo_bpm), tempo_bpm, ((4, 4),), "")


def _sequence(notes: Array, tempo_bpm: float, meters: Any, label: str) -> NoteSequence:
    from note_seq.protobuf.music_pb2 import NoteSequence

    sequence = NoteSequence(filename=label, total_time=float(notes[:, 3].max(initial=0.0)))
    sequence.tempos.add(qpm=tempo_bpm)
    for top, bottom in meters:
        sequence.time_signatures.add(numerator=top, denominator=bottom)
    for pitch, velocity, start, end in notes.tolist():
        sequence.notes.add(
            pitch=int(pitch),
            velocity=int(velocity),
            start_time=start,
            end_time=end,
            is_drum=True,
            instrument=DRUM_INSTRUMENT,
        )
    return sequence


def positions_of_ticks(onset_ticks: NDArray[np.int32]) -> NDArray[np.float64]:
    """Turn house ticks (960 a quarter) into positions in steps."""
    return np.asarray(onset_ticks, np.float64) / TICKS_PER_STEP


def four_four(take: Take) -> Take:
    """Return a take in 4/4, or refuse any other meter: the grid has sixteen steps a bar."""
    if take.meter != (4, 4):
        top, bottom = take.meter
        raise BadMidi(f"{take.label}: meter {top}/{bottom}; the groove model plays 4/4 alone. Give a take in 4/4.")
    return take
