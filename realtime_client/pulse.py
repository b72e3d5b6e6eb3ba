"""Where the music is: rt's beats, carried on from one to the next.

pulse = Pulse(beat)
pulse.place(now_ns), pulse.bar_length, pulse.bar_line(3900)
"""

from __future__ import annotations

from typing import NamedTuple

from models.music.notes import TICKS_PER_QUARTER
from realtime_client.messages import Beat

MINUTE_NS = 60_000_000_000


class Pulse(NamedTuple):
    """The last beat and what follows from it."""

    beat: Beat

    @property
    def bar_length(self) -> int:
        return self.beat.bar_length

    @property
    def bar_ns(self) -> int:
        return round(self.beat.beats_a_bar * MINUTE_NS / self.beat.tempo_bpm)

    def place(self, at_ns: int) -> int:
        """The place of a moment."""
        return round(self.beat.place(at_ns))

    def seconds(self, ticks: int) -> float:
        return ticks * 60 / self.beat.tempo_bpm / TICKS_PER_QUARTER

    def bar_line(self, ticks: int) -> int:
        """The bar line at a place, or before it."""
        return ticks - (ticks - self.beat.bar_ticks) % self.bar_length

    def agrees(self, later: Beat) -> bool:
        """Whether a later beat goes on as this one did: the same bars, and no further back."""
        same = later.beats_a_bar == self.beat.beats_a_bar
        aligned = (later.bar_ticks - self.beat.bar_ticks) % self.bar_length == 0
        return same and aligned and later.ticks > self.place(later.at_ns) - self.bar_length
