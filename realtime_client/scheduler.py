"""When which note sounds: pure logic, driven by a moment and a timeline, that gives what to send.

    scheduler = Scheduler(polyphony=4, bar_line=clock.bar_line)
    scheduler.plan(Plan(7, from_ticks), now_ns, timeline)
    scheduler.add(Note(7, ...), now_ns, timeline)
    for sent in scheduler.due(now_ns, timeline): ...    # On and Off, in their order
    scheduler.next_ns(timeline)                         # when to ask again

Notes wait in a heap, by their places. What sounds stands in one table, and every Off comes out of it: no note can hang.
A note that is about to be played is never taken back. A new plan takes the place of the old one as it becomes known: what
the old one had further on is played only if the new one is not there by then. A note up to LATE_NS late is played and
counted; a later one is dropped whole. Where no plan is known, the fallback phrase begins by itself and goes on until one is.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from realtime_client.clock import NEVER_NS, Timeline
from realtime_client.messages import FOREVER_TICKS, TICKS_PER_QUARTER, Known, Note, Phrase, Plan

LATE_NS = 30_000_000
UNHEARD_NS = 2_000_000
"""Lateness that is not worth counting."""
COMMITTED_NS = 20_000_000
"""What is to be played within this time is as good as played."""
PATIENCE_NS = 100_000_000
"""So long a new plan may be without a note before the fallback begins."""
EARLY_NS = 5_000_000
"""The fallback begins so long before it is needed."""
SHORTEST_TICKS = TICKS_PER_QUARTER // 32
AT_ONCE_TICKS = TICKS_PER_QUARTER // 8


class On(NamedTuple):
    """Send a note-on."""

    note: Note
    due_ns: int


class Off(NamedTuple):
    """Send a note-off."""

    pitch: int


Sent = On | Off


class Sounding(NamedTuple):
    note: Note
    end_ticks: float


@dataclass
class Counts:
    """Notes since the beginning, and how often the fallback had to begin."""

    late: int = 0
    dropped: int = 0
    stale: int = 0
    underruns: int = 0


class Scheduler:
    """`bar_line` gives the bar line at or before a place."""

    def __init__(self, polyphony: int, bar_line: Callable[[float], int], offset_ns: int = 0) -> None:
        self.offset_ns = offset_ns
        self.counts = Counts()
        self._known: float | None = None
        self._horizon = self._reserve = 0.0
        """How far the newest plan is known, where it began, and how far older ones go."""
        self._polyphony = polyphony
        self._bar_line = bar_line
        self._epoch = -1
        self._waiting: list[tuple[float, int, Note]] = []
        self._added = 0
        self._sounding: dict[int, Sounding] = {}
        self._phrase: Phrase | None = None
        self._repeats: Iterator[Note] = iter(())
        self._repeat: Note | None = None
        """The fallback's next note, while it plays."""
        self._patient_until_ns = 0

    @property
    def sounding(self) -> int:
        return len(self._sounding)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def falling_back(self) -> bool:
        return self._repeat is not None

    @property
    def known_ticks(self) -> float | None:
        """How far there is something to play; None where there is no solo."""
        return None if self._known is None else max(self._known, self._reserve)

    def plan(self, plan: Plan, now_ns: int, timeline: Timeline) -> None:
        """Begin another plan: from here on, older notes wait in reserve until it is known as far as they are."""
        if plan.epoch <= self._epoch:
            return
        self._epoch = plan.epoch
        horizon = self._horizon = max(plan.from_ticks, self._place(now_ns + COMMITTED_NS, timeline))
        self._waiting = [(at, n, note if at >= horizon else _ended(note, horizon)) for at, n, note in self._waiting]
        for pitch, (note, end_ticks) in self._sounding.items():
            self._sounding[pitch] = Sounding(note, min(end_ticks, horizon))
        before = self.known_ticks or 0.0
        self._reserve = before if before < FOREVER_TICKS else 0.0  # a rest is nothing to fall back on
        self._known = horizon if self._known is None else min(self._known, horizon)
        self._patient_until_ns = now_ns + PATIENCE_NS

    def add(self, note: Note, now_ns: int, timeline: Timeline) -> None:
        """Let a note wait for its place; a solo comes in its order, so it is known as far as this."""
        if not _is_playable(note):
            self.counts.dropped += 1
            return
        if self._is_over(note.epoch):
            self.counts.stale += 1
            return
        if note.epoch > self._epoch:  # its plan was lost on the way
            self.plan(Plan(note.epoch, note.onset_ticks), now_ns, timeline)
        place: float = note.onset_ticks
        if note.at_once:
            place = self._place(now_ns, timeline)
            note = note._replace(onset_ticks=round(place / AT_ONCE_TICKS) * AT_ONCE_TICKS)
        self._added += 1
        heapq.heappush(self._waiting, (place, self._added, note))
        self.know(Known(note.epoch, note.onset_ticks))

    def know(self, known: Known) -> None:
        """Take it that up to here nothing more comes than has come."""
        if known.epoch != self._epoch or self._known is None or known.until_ticks <= self._known:
            return
        self._known = known.until_ticks
        kept = [each for each in self._waiting if not self._is_replaced(*each)]
        if len(kept) < len(self._waiting):
            self._waiting = kept
            heapq.heapify(kept)

    def fall_back_on(self, phrase: Phrase) -> None:
        """Keep a phrase ready; a fallback that plays goes on with it."""
        notes = tuple(
            sorted((n for n in phrase.notes if _is_playable(Note(0, *n)) and n[2] < phrase.length_ticks), key=_onset)
        )
        self._phrase = Phrase(phrase.length_ticks, notes) if notes else None
        if self._repeat:
            self._repeat_from(self._repeat.onset_ticks)

    def begin_again(self) -> None:
        """Whoever plans has begun anew, and counts epochs from the beginning."""
        self._epoch = -1

    def silence(self) -> list[Off]:
        """End what sounds, now."""
        ended = [Off(pitch) for pitch in self._sounding]
        self._sounding.clear()
        return ended

    def forget(self) -> list[Off]:
        """Panic: nothing sounds, waits or falls back until there is a new plan."""
        self._waiting.clear()
        self._repeat = self._known = None
        return self.silence()

    def next_ns(self, timeline: Timeline) -> int:
        """Tell when something is due next, as far as is known now."""
        places = [end_ticks for _, end_ticks in self._sounding.values()]
        places += [self._waiting[0][0]] if self._waiting else []
        places += [self._repeat.onset_ticks] if self._repeat else []
        next_ns = timeline.ns_at(min(places)) + self.offset_ns if places else NEVER_NS
        if self.known_ticks is not None and self._phrase and not self._repeat:
            runs_out_ns = timeline.ns_at(self.known_ticks) + self.offset_ns - EARLY_NS
            next_ns = min(next_ns, max(runs_out_ns, self._patient_until_ns))
        return next_ns

    def due(self, now_ns: int, timeline: Timeline) -> list[Sent]:
        """Give what is to be sent now."""
        if not timeline.running:
            return []
        place = self._place(now_ns, timeline)
        self._watch(now_ns, place, self._place(now_ns + EARLY_NS, timeline))
        sent: list[Sent] = []
        while True:
            ended = min(self._sounding.values(), key=_end, default=None)
            coming = self._coming()
            if ended and ended.end_ticks <= place and not (coming and coming[0] < ended.end_ticks):
                sent.append(self._end(ended.note.pitch))
            elif coming and coming[0] <= place:
                self._take(coming[1])
                sent += self._begin(coming[1], timeline.ns_at(coming[0]) + self.offset_ns, now_ns, place)
            else:
                return sent

    def _watch(self, now_ns: int, place: float, soon: float) -> None:
        """Begin to fall back where the solo is known no further; stop where it is."""
        if self.known_ticks is None or self.known_ticks > soon:
            self._repeat = None
        elif self._phrase and not self._repeat and now_ns >= self._patient_until_ns:
            self.counts.underruns += 1
            self._repeat_from(max(self.known_ticks, place))

    def _repeat_from(self, place: float) -> None:
        self._repeats = _repeated(self._phrase, self._bar_line(place), place) if self._phrase else iter(())
        self._repeat = next(self._repeats, None)

    def _coming(self) -> tuple[float, Note] | None:
        """Give the next note to begin, with its place."""
        waiting = (self._waiting[0][0], self._waiting[0][2]) if self._waiting else None
        repeat = (float(self._repeat.onset_ticks), self._repeat) if self._repeat else None
        return min(filter(None, (waiting, repeat)), key=_place, default=None)

    def _take(self, note: Note) -> None:
        if note is self._repeat:
            self._repeat = next(self._repeats, None)
        else:
            heapq.heappop(self._waiting)

    def _begin(self, note: Note, due_ns: int, now_ns: int, place: float) -> list[Sent]:
        late_ns = now_ns - due_ns
        if late_ns > LATE_NS:
            self.counts.dropped += 1
            return []
        self.counts.late += late_ns > UNHEARD_NS
        if note.source == "fallback":
            note = note._replace(epoch=self._epoch)
            ended = []
        else:
            ended = [pitch for pitch, (other, _) in self._sounding.items() if other.source == "fallback"]
        sent: list[Sent] = [self._end(pitch) for pitch in {*ended, note.pitch} if pitch in self._sounding]
        while len(self._sounding) >= self._polyphony:
            sent.append(self._end(next(iter(self._sounding))))  # the oldest
        end_ticks = max(note.onset_ticks + note.duration_ticks, place + SHORTEST_TICKS)
        self._sounding[note.pitch] = Sounding(note, end_ticks)
        return [*sent, On(note, due_ns)]

    def _end(self, pitch: int) -> Off:
        del self._sounding[pitch]
        return Off(pitch)

    def _is_over(self, epoch: int) -> bool:
        return epoch < self._epoch or (epoch == self._epoch and self._known is None)

    def _is_replaced(self, place: float, _: int, note: Note) -> bool:
        """Whether the newest plan is known where an older one put this note."""
        return note.epoch != self._epoch and self._horizon <= place < (self._known or 0)

    def _place(self, ns: int, timeline: Timeline) -> float:
        """Tell which place is to be sent at a moment."""
        return timeline.ticks_at(ns - self.offset_ns)


def _repeated(phrase: Phrase, bar_line: int, from_ticks: float) -> Iterator[Note]:
    """Give a phrase's notes over and over from a bar line, beginning with those that are not over."""
    while True:
        for pitch, velocity, onset_ticks, duration_ticks in phrase.notes:
            if bar_line + onset_ticks >= from_ticks:
                yield Note(-1, pitch, velocity, bar_line + onset_ticks, duration_ticks, "fallback")
        bar_line += phrase.length_ticks


def _is_playable(note: Note) -> bool:
    numbers = (note.epoch, note.pitch, note.velocity, note.onset_ticks, note.duration_ticks)
    return all(isinstance(number, int) for number in numbers) and (
        0 <= note.pitch <= 127 and 1 <= note.velocity <= 127 and note.onset_ticks >= 0 and note.duration_ticks > 0
    )


def _ended(note: Note, horizon: float) -> Note:
    """Let a note last no longer than the horizon."""
    return note._replace(duration_ticks=max(1, min(note.duration_ticks, int(horizon) - note.onset_ticks)))


def _onset(note: tuple[int, int, int, int]) -> int:
    return note[2]


def _place(coming: tuple[float, Note]) -> float:
    return coming[0]


def _end(sounding: Sounding) -> float:
    return sounding.end_ticks
