"""What the model is told: chords and what was played, so that a request only adds to the one before it.

    prompt = PromptBuilder(bar_ticks=0, bar_length=3840)
    prompt.harmony(ticks, chord);  prompt.play(note);  prompt.cut(ticks)         # as the session goes on
    cue = prompt.cue(start, horizon, tempo_bpm=120, style=2)

The server continues what it has read as long as the beginning stays as it was. So places are told from a bar line on that
stays for long: it leaps ahead by HOP_BARS, a multiple of the four by which the server forgets, and the server, which tells
bars by their contents alone, does not notice. What lies behind it is forgotten: a session of hours needs no more than this.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any

from models.music.chords import Chord
from models.music.notes import TICKS_PER_QUARTER
from realtime_client.guard import NoteRow
from serving.contracts.jam import MAX_CHORDS, MAX_NOTES, Cue

STEP, PLACE = TICKS_PER_QUARTER // 4, TICKS_PER_QUARTER // 24
MARGIN_MS = 20.0
KEPT_BARS, HOP_BARS = 64, 16
"""The server reads at most a few hundred words, about fifteen bars; a soloist who rests has room for more."""


class PromptBuilder:
    """The session so far, in rt's ticks."""

    def __init__(self, bar_ticks: int, bar_length: int) -> None:
        """bar_ticks: any bar line at or before everything that will be told."""
        self.bar_length = bar_length
        self._base = bar_ticks
        self._chords: list[tuple[int, Chord]] = []
        self._line: list[NoteRow] = []

    def harmony(self, ticks: int, chord: Chord) -> None:
        """A chord holds from here on; whatever was said about later is taken back."""
        ticks = max(ticks, self._base)
        del self._chords[bisect_left(self._chords, ticks, key=_place) :]
        if not self._chords or self._chords[-1][1] != chord:
            self._chords.append((ticks, chord))

    def play(self, note: NoteRow) -> None:
        """A note of the solo, whoever thought of it."""
        if note[2] >= self._base:
            self._line.insert(bisect_right(self._line, note[2], key=_onset), note)

    def cut(self, ticks: int) -> None:
        """What was to be played from here on will not be."""
        del self._line[bisect_left(self._line, ticks, key=_onset) :]

    def next_bar_line(self, ticks: int) -> int:
        """The bar line at a place, or after it."""
        return ticks + (self._base - ticks) % self.bar_length

    def cue(self, start: int, until: int, **wishes: Any) -> Cue:
        """Ask for what comes from `start` to before `until`; wishes are Cue's other fields."""
        self._forget(start)
        return Cue(
            start_ticks=start - self._base,
            horizon_ticks=until - start,
            chords=tuple((ticks - self._base, chord) for ticks, chord in self._chords),
            primer=[(pitch, velocity, onset - self._base, length) for pitch, velocity, onset, length in self._line],
            **wishes,
        )

    def on_grid(self, ticks: int) -> int:
        """The model's place at a tick, or after it."""
        return ticks + (self._base - ticks) % PLACE

    def _forget(self, now: int) -> None:
        while self._is_long(now):
            self._base += HOP_BARS * self.bar_length
            before = bisect_right(self._chords, self._base, key=_place)
            self._chords[:before] = [(self._base, chord) for _, chord in self._chords[:before][-1:]]
            del self._line[: bisect_left(self._line, self._base, key=_onset)]

    def _is_long(self, now: int) -> bool:
        hop = self._base + HOP_BARS * self.bar_length
        if now < hop:
            return False
        long_ago = now - self._base > (KEPT_BARS + HOP_BARS) * self.bar_length
        return long_ago or len(self._line) > MAX_NOTES // 2 or len(self._chords) > MAX_CHORDS // 2


def commit_ticks(tempo_bpm: float, round_trip_ms: float) -> int:
    """How far ahead the solo is settled: what a new plan can still change comes after an answer may be there."""
    return max(STEP, round((round_trip_ms + MARGIN_MS) * tempo_bpm * TICKS_PER_QUARTER / 60_000))


def _place(chord: tuple[int, Chord]) -> int:
    return chord[0]


def _onset(note: NoteRow) -> int:
    return note[2]
