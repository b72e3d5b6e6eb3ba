"""Notes on a tick grid: 960 ticks per quarter, four int32 columns, the same on disk, in memory and on the wire.

take = Take(notes=[(36, 100, 0, 240), (38, 90, 960, 240)], tempo_bpm=100)
take.notes[:, ONSET]                      # onset ticks, sorted
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.music.errors import BadMidi

TICKS_PER_QUARTER = 960
PITCH, VELOCITY, ONSET, DURATION = range(4)
MIN_TEMPO_BPM, MAX_TEMPO_BPM = 10.0, 1000.0


def as_notes(rows: ArrayLike) -> NDArray[np.int32]:
    """Check rows of (pitch, velocity, onset_ticks, duration_ticks); return them as int32[n, 4] sorted by onset, then pitch."""
    table = np.asarray(rows)
    if table.size == 0:
        return np.zeros((0, 4), np.int32)
    if table.ndim != 2 or table.shape[1] != 4:
        raise BadMidi(
            f"notes have shape {list(table.shape)}; give [n, 4]: pitch, velocity, onset_ticks, duration_ticks."
        )
    if table.dtype.kind not in "biuf" or not np.isfinite(table).all():
        raise BadMidi(
            "a note holds what is no number of a note: NaN, infinity or more than 18 digits. Give whole numbers."
        )
    pitch, velocity, onset, duration = table.T
    for name, column, low, high in (
        ("pitch", pitch, 0, 127),
        ("velocity", velocity, 1, 127),
        ("onset_ticks", onset, 0, 2**31 - 1),
        ("duration_ticks", duration, 1, 2**31 - 1),
    ):
        outside = (column < low) | (column > high)
        if outside.any():
            raise BadMidi(f"note {int(outside.argmax())}: {name} is {column[outside][0]:g}; give {low} to {high}.")
    table = table.astype(np.int32)
    return table[np.lexsort((table[:, PITCH], table[:, ONSET]))]


@dataclass(frozen=True)
class Take:
    """Something played: notes at a tempo and a meter."""

    notes: NDArray[np.int32]
    """int32[n, 4], see as_notes; sorted, never changed."""
    tempo_bpm: float = 120.0
    meter: tuple[int, int] = (4, 4)
    label: str = "take"
    """What messages call it: usually the file's name."""

    def __post_init__(self) -> None:
        notes = as_notes(self.notes)
        notes.flags.writeable = False
        object.__setattr__(self, "notes", notes)
        if not MIN_TEMPO_BPM <= self.tempo_bpm <= MAX_TEMPO_BPM:
            raise BadMidi(f"{self.label}: tempo {self.tempo_bpm:g} bpm; give {MIN_TEMPO_BPM:g} to {MAX_TEMPO_BPM:g}.")
        top, bottom = self.meter
        if not (1 <= top <= 64 and bottom in (1, 2, 4, 8, 16, 32)):
            raise BadMidi(f"{self.label}: meter {top}/{bottom}; give one such as 4/4 or 6/8.")

    def __len__(self) -> int:
        return len(self.notes)

    @property
    def ticks_per_bar(self) -> int:
        return self.meter[0] * TICKS_PER_QUARTER * 4 // self.meter[1]

    @property
    def bars(self) -> int:
        """Whole bars that hold every onset, at least 1."""
        return 1 if len(self) == 0 else int(self.notes[:, ONSET].max()) // self.ticks_per_bar + 1

    def with_notes(self, notes: ArrayLike) -> Take:
        return replace(self, notes=as_notes(notes))

    def seconds(self, ticks: ArrayLike) -> NDArray[np.float64]:
        """Turn ticks into seconds from the beginning."""
        return np.asarray(ticks, np.float64) * 60.0 / self.tempo_bpm / TICKS_PER_QUARTER


def ticks_from_seconds(seconds: ArrayLike, tempo_bpm: float) -> NDArray[np.int32]:
    """Turn seconds from the beginning into the nearest ticks."""
    return np.round(np.asarray(seconds, np.float64) * tempo_bpm / 60.0 * TICKS_PER_QUARTER).astype(np.int32)
