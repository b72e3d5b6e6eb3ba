"""Where the music is: a place in ticks for every moment, and a moment for every place.

    clock = Clock(perf_counter_ns(), tempo_bpm=120, beats_a_bar=4)
    clock.timeline.ns_at(3840)              # when the second bar begins, as far as anybody knows now
    clock.leap(now_ns, song_ticks)          # the song jumped: go to the next place with the same place in its bar

Nothing here hears or waits; who gives the beat is conductor.py's. Places never go back (messages.py).
"""

from __future__ import annotations

from typing import NamedTuple

from realtime_client.messages import TICKS_PER_QUARTER, Beat

HOLD_TICKS = TICKS_PER_QUARTER // 8
"""Who is ahead by no more than this waits for the beat instead of leaping to the next one."""
NEVER_NS = 1 << 62


class Timeline(NamedTuple):
    """At `at_ns` the music is at `ticks`, and goes on at this tempo, unless it stands."""

    at_ns: int
    ticks: float
    tempo_bpm: float
    running: bool = True

    def ticks_at(self, ns: float) -> float:
        return self.ticks + (ns - self.at_ns) * self.ticks_per_ns if self.running else self.ticks

    def ns_at(self, ticks: float) -> int:
        """Tell when the music is there; while it stands, never."""
        return self.at_ns + round((ticks - self.ticks) / self.ticks_per_ns) if self.running else NEVER_NS

    @property
    def ticks_per_ns(self) -> float:
        return self.tempo_bpm * TICKS_PER_QUARTER / 60e9


class Clock:
    """The timeline that holds now, who gave it, and where its bars begin."""

    def __init__(self, now_ns: int, tempo_bpm: float, beats_a_bar: int) -> None:
        self.timeline = Timeline(now_ns, 0.0, tempo_bpm)
        self.source = "internal"
        self.beats_a_bar = beats_a_bar
        self.bar_ticks = 0
        self._furthest = 0.0

    def place(self, now_ns: int) -> float:
        """Tell where the music is; it waits where a correction would lead it back."""
        self._furthest = max(self._furthest, self.timeline.ticks_at(now_ns))
        return self._furthest

    def bar_line(self, ticks: float) -> int:
        """Give the bar line at or before a place."""
        return int(ticks - (ticks - self.bar_ticks) % self._bar)

    def beat(self, now_ns: int) -> Beat:
        ticks = int(self.place(now_ns))
        at_ns = self.timeline.ns_at(ticks) if self.timeline.running else now_ns
        return self._told(at_ns, ticks)

    def quarter(self, now_ns: int) -> Beat:
        """Tell the latest quarter at its exact moment."""
        ticks = int(self.place(now_ns) // TICKS_PER_QUARTER * TICKS_PER_QUARTER)
        return self._told(self.timeline.ns_at(ticks), ticks)

    def run(self, now_ns: int) -> None:
        self.timeline = self._from(now_ns)._replace(running=True)

    def stand(self, now_ns: int) -> None:
        self.timeline = self._from(now_ns)._replace(running=False)

    def set_tempo(self, now_ns: int, tempo_bpm: float) -> None:
        self.timeline = self._from(now_ns)._replace(tempo_bpm=tempo_bpm)

    def set_bar(self, now_ns: int, beats_a_bar: int) -> None:
        """Count other bars from the current bar line on."""
        if beats_a_bar != self.beats_a_bar:
            self.bar_ticks, self.beats_a_bar = self.bar_line(self.place(now_ns)), beats_a_bar

    def take(self, timeline: Timeline) -> None:
        """Believe whom we follow."""
        self.timeline = timeline

    def disagreement(self, now_ns: int, song_ticks: float) -> float:
        """Tell how far a place of the song lies ahead of ours, or behind, counted within a bar."""
        return (song_ticks + self.bar_ticks - self.place(now_ns) + self._bar / 2) % self._bar - self._bar / 2

    def leap(self, now_ns: int, song_ticks: float, within: int = 0) -> float:
        """Go to the next place that lies in its bar (or `within` so many ticks) as `song_ticks` does; give it."""
        within = within or self._bar
        here = self.place(now_ns)
        way = (song_ticks + self.bar_ticks - here) % within
        if way > within - HOLD_TICKS:
            way -= within  # just passed: wait for it
        there = round(here + way, 3)
        self.timeline = self.timeline._replace(at_ns=now_ns, ticks=there)
        return there

    @property
    def _bar(self) -> int:
        return self.beats_a_bar * TICKS_PER_QUARTER

    def _from(self, now_ns: int) -> Timeline:
        return self.timeline._replace(at_ns=now_ns, ticks=self.place(now_ns))

    def _told(self, at_ns: int, ticks: int) -> Beat:
        now = self.timeline
        return Beat(at_ns, ticks, now.tempo_bpm, now.running, self.source, self.beats_a_bar, self.bar_ticks)
