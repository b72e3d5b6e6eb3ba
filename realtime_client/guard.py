"""Whether what a server sends can be a solo: a broken one must not be heard.

guard = Guard(cue)
guard.amiss((60, 100, 3840, 240))         # "" or what is wrong with it
"""

from __future__ import annotations

from models.music.notes import TICKS_PER_QUARTER
from serving.contracts.jam import Cue

LONGEST_TICKS = 16 * TICKS_PER_QUARTER
MOST_A_BEAT = 24
NoteRow = tuple[int, int, int, int]
"""(pitch, velocity, onset_ticks, duration_ticks)"""


class Guard:
    """Looks at the notes of one answer, in order."""

    def __init__(self, cue: Cue) -> None:
        self._from, self._until = cue.start_ticks, cue.start_ticks + cue.horizon_ticks
        self._last = cue.start_ticks
        self._beat = self._in_beat = 0

    def amiss(self, note: NoteRow) -> str:
        """Say what is wrong with the next note, if anything is."""
        pitch, velocity, onset, duration = note
        beat = onset // TICKS_PER_QUARTER
        self._beat, self._in_beat = beat, self._in_beat + 1 if beat == self._beat else 1
        for wrong, words in (
            (not 0 <= pitch <= 127, f"pitch {pitch}"),
            (not 1 <= velocity <= 127, f"velocity {velocity}"),
            (not 1 <= duration <= LONGEST_TICKS, f"a note of {duration} ticks"),
            (not self._from <= onset < self._until, f"a note at {onset}, asked for {self._from} to {self._until}"),
            (onset < self._last, f"a note at {onset} after one at {self._last}"),
            (self._in_beat > MOST_A_BEAT, f"more than {MOST_A_BEAT} notes in a beat"),
        ):
            if wrong:
                return words
        self._last = onset
        return ""
