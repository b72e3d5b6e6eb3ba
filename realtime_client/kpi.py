"""How a session went, from its recorded letters alone: how soon, how punctual, how full, how far ahead.

    session = Session.read("session_1.jsonl", probe="heard.jsonl")     # the probe stood at the receiving end
    session.figures()                                                  # {"ttfn_any_ms_p50": 21.3, …}
    session.spreads()                                                  # the values behind every median and tail

A first note counts where a chord came while the soloist rested, after a second without a note: from the chord's first note-on to the soloist's, be it
a pick-up (`any`) or the model's own. While a solo plays, what counts is how many beats a new chord takes to be heard in it.
Dead air is a gap of 180 ms or more that the model did not mean: where its answer reaches over a rest, the rest is music.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from realtime_client.messages import TICKS_PER_QUARTER, Asked, Beat, Happened, Harmony, Message, Played, Status
from realtime_client.midi_bytes import ALL_NOTES_OFF, CONTROL_CHANGE, KIND, NOTE_OFF, NOTE_ON
from realtime_client.quantile import percentile
from realtime_client.recorder import letters_of

REST_NS = 1_000_000_000
GAP_NS = 180_000_000
ARRIVES_NS = 100_000_000
"""A note that left arrives within this time."""


class First(NamedTuple):
    """A chord after a rest: when its first note-on came, and what came of it. 0 where nothing did."""

    chord_ns: int
    any_ns: int
    model_ns: int
    sent_ns: int
    answered_ns: int


@dataclass
class Session:
    """A session's letters, by their kinds."""

    played: list[Played] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    harmonies: list[Harmony] = field(default_factory=list)
    beats: list[Beat] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    arrived: list[tuple[int, int, int]] = field(default_factory=list)
    """At the receiving end: when, which pitch, how loud (0: let go)."""

    @classmethod
    def read(cls, file: Path, probe: Path | None = None) -> Session:
        session = cls.of(letters_of(file))
        if probe is not None:
            session.arrived = list(_arrived(probe))
        return session

    @classmethod
    def of(cls, letters: Iterable[Message]) -> Session:
        session = cls()
        kept: dict[type, list] = {
            Played: session.played,
            Asked: session.asked,
            Harmony: session.harmonies,
            Beat: session.beats,
            Status: session.statuses,
        }
        for letter in letters:
            if isinstance(letter, Happened):
                session.happened[letter.what] += 1
            elif type(letter) in kept:
                kept[type(letter)].append(letter)
        session.played.sort(key=lambda note: note.at_ns)
        return session

    def figures(self) -> dict[str, float]:
        """Every figure that this session can tell, by its name with its unit."""
        told: dict[str, float] = {}
        for name, values in self.spreads().items():
            told |= {f"{name}_p50": percentile(values, 0.5), f"{name}_p99": percentile(values, 0.99)} if values else {}
        notes = Counter(note.source for note in self.played)
        every = max(1, len(self.played))
        told |= {"notes": len(self.played), "chords": len({h.first_note_ns for h in self.harmonies if h.settled})}
        told |= {"hit_rate": notes["model"] / every, "fallback_share": notes["fallback"] / every}
        if ahead := self.bars_ahead():
            told |= {f"bars_ahead_{name}": percentile(ahead, q) for name, q in (("min", 0), ("p5", 0.05), ("p50", 0.5))}
        told |= {"dead_air_gaps": len(self.dead_air())}
        told |= {"stuck_notes": self.stuck()} if self.arrived else {}
        if self.statuses:
            last = self.statuses[-1]
            told |= {name: getattr(last, name) for name in ("late", "dropped", "stale", "underruns")}
        told |= {f"asked_{outcome}": many for outcome, many in Counter(a.outcome for a in self.asked).items()}
        return told | dict(self.happened)

    def spreads(self) -> dict[str, list[float]]:
        """What has a median and a tail."""
        firsts = self.firsts()
        lateness = [(note.at_ns - note.due_ns) / 1e6 for note in self.played if note.source != "pickup"]
        spreads = {
            "ttfn_any_ms": [(f.any_ns - f.chord_ns) / 1e6 for f in firsts if f.any_ns],
            "ttfn_model_ms": [(f.model_ns - f.chord_ns) / 1e6 for f in firsts if f.model_ns],
            "chord_to_request_ms": [(f.sent_ns - f.chord_ns) / 1e6 for f in firsts if f.sent_ns],
            "request_to_note_ms": [(f.answered_ns - f.sent_ns) / 1e6 for f in firsts if f.answered_ns],
            "note_to_port_ms": [(f.model_ns - f.answered_ns) / 1e6 for f in firsts if f.model_ns and f.answered_ns],
            "harmony_beats": self.harmony_beats(),
            "lateness_ms": lateness,
            "jitter_ms": _jitter(lateness),
        }
        if self.arrived:
            at_end = self.lateness_at_the_end()
            spreads |= {"arrival_ms": at_end, "arrival_jitter_ms": _jitter(at_end)}
        return {name: values for name, values in spreads.items() if values}

    def firsts(self) -> list[First]:
        """Every chord that came after a rest, answered or not."""
        starts = [note.at_ns for note in self.played]
        asked = {a.epoch: a for a in reversed(self.asked) if a.trigger_ns}
        firsts = []
        for harmony in _by_chord(self.harmonies):
            chord_ns = harmony[0].first_note_ns
            before = bisect_left(starts, chord_ns)
            if (before and chord_ns - starts[before - 1] < REST_NS) or not self._rests_at(chord_ns):
                continue
            own = self.played[before : before + 32]
            epochs = {h.epoch for h in harmony}
            model = next((n for n in own if n.source == "model" and n.epoch in epochs), None)
            request = next((a for a in self.asked if a.trigger_ns == chord_ns and a.first_note_ns), None)
            request = asked.get(model.epoch, request) if model else request
            firsts.append(
                First(
                    chord_ns,
                    own[0].at_ns if own and own[0].at_ns - chord_ns < REST_NS else 0,
                    model.at_ns if model else 0,
                    request.sent_ns if request else 0,
                    request.first_note_ns if request else 0,
                )
            )
        return firsts

    def harmony_beats(self) -> list[float]:
        """Beats from a new chord to the first note that was thought of with it, while a solo plays."""
        by_epoch: dict[int, int] = {}
        for note in self.played:
            if note.source == "model":
                by_epoch.setdefault(note.epoch, note.at_ns)
        after_rest = {first.chord_ns for first in self.firsts()}
        beats = []
        for harmony in _by_chord(self.harmonies):
            chord_ns = harmony[0].first_note_ns
            heard = [by_epoch[h.epoch] for h in harmony if h.epoch in by_epoch and by_epoch[h.epoch] >= chord_ns]
            if heard and chord_ns not in after_rest:
                beats.append((min(heard) - chord_ns) * self._tempo_at(chord_ns) / 60e9)
        return beats

    def bars_ahead(self) -> list[float]:
        """How far the solo was known, twenty times a second, from its first bar on."""
        models = [note.at_ns for note in self.played if note.source == "model"]
        if not models:
            return []
        beat = self.beats[-1] if self.beats else None
        bar = TICKS_PER_QUARTER * (beat.beats_a_bar if beat else 4)
        settled_ns = models[0] + round(bar / TICKS_PER_QUARTER * 60e9 / self._tempo_at(models[0]))
        playing = (s for s in self.statuses if settled_ns <= s.at_ns <= models[-1] and not s.rests)
        return [(s.planned_ticks - s.ticks) / bar for s in playing]

    def dead_air(self) -> list[tuple[int, int]]:
        """Gaps in the solo, in ticks, that nobody meant."""
        meant = sorted((a.start_ticks, a.start_ticks + a.horizon_ticks) for a in self.asked if a.outcome == "whole")
        gaps, end = [], None
        for note in self.played:
            if end is not None and note.onset_ticks > end:
                long_enough = (note.onset_ticks - end) / TICKS_PER_QUARTER * 60e9 / self._tempo_at(note.at_ns) >= GAP_NS
                if long_enough and note.source == "model" and not _covered(end, note.onset_ticks, meant):
                    gaps.append((end, note.onset_ticks))
            end = max(end or 0, note.onset_ticks + note.duration_ticks)
        return gaps

    def stuck(self) -> int:
        """Notes that nobody had let go when the session was over, at the receiving end."""
        down: set[int] = set()
        for _, pitch, velocity in self.arrived:
            (down.add if velocity else down.discard)(pitch)
        return len(down)

    def lateness_at_the_end(self) -> list[float]:
        """Milliseconds from when a note was due to when it arrived."""
        waiting: dict[int, list[int]] = {}
        for at_ns, pitch, velocity in self.arrived:
            if velocity:
                waiting.setdefault(pitch, []).append(at_ns)
        late = []
        for note in self.played:
            times = waiting.get(note.pitch, [])
            found = bisect_left(times, note.at_ns)
            if found < len(times) and times[found] - note.at_ns < ARRIVES_NS and note.source != "pickup":
                late.append((times[found] - note.due_ns) / 1e6)
        return late

    def _rests_at(self, at_ns: int) -> bool:
        """Whether the soloist rests, as far as is known: a rest within a solo is music, and a chord changes what follows it."""
        number = bisect_left([status.at_ns for status in self.statuses], at_ns)
        last = self.statuses[number - 1] if number else None
        return last is None or not last.planned_ticks or last.rests

    def _tempo_at(self, at_ns: int) -> float:
        number = bisect_left([beat.at_ns for beat in self.beats], at_ns)
        return self.beats[max(0, number - 1)].tempo_bpm if self.beats else 120.0


def _by_chord(harmonies: Sequence[Harmony]) -> list[list[Harmony]]:
    """Guesses and what they settled to, chord by chord."""
    chords: dict[int, list[Harmony]] = {}
    for harmony in harmonies:
        if harmony.first_note_ns:
            chords.setdefault(harmony.first_note_ns, []).append(harmony)
    return list(chords.values())


def _covered(begin: int, end: int, meant: Iterable[tuple[int, int]]) -> bool:
    """Whether answers reach over a stretch without a hole."""
    for first, last in meant:
        if first <= begin < last:
            begin = last
    return begin >= end


def _arrived(probe: Path) -> Iterable[tuple[int, int, int]]:
    for line in probe.read_text(encoding="utf-8").splitlines():
        heard = json.loads(line)
        status, *rest = heard["data"]
        kind = status & KIND
        if kind == NOTE_ON:
            yield heard["at_ns"], rest[0], rest[1]
        elif kind == NOTE_OFF:
            yield heard["at_ns"], rest[0], 0
        elif kind == CONTROL_CHANGE and rest[0] == ALL_NOTES_OFF:
            yield from ((heard["at_ns"], pitch, 0) for pitch in range(128))


def _jitter(values: Sequence[float]) -> list[float]:
    middle = percentile(values, 0.5)
    return [abs(value - middle) for value in values]
