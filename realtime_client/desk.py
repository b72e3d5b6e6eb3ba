"""How the session stands at this moment, from its letters alone: what page, terminal and assistant show.

desk = Desk(settings)
desk.take(message)                      # every letter that ui gets
desk.picture(time.perf_counter_ns())    # all of it as plain JSON
"""

from __future__ import annotations

from collections import Counter, deque
from statistics import median
from typing import Any

from realtime_client.messages import (
    TICKS_PER_QUARTER,
    Asked,
    Beat,
    Control,
    Happened,
    Harmony,
    Heard,
    Message,
    Played,
    Quit,
    Server,
    Status,
)
from realtime_client.midi_bytes import KIND, NOTE_OFF, NOTE_ON
from realtime_client.settings import JamSettings

SILENCE_NS = 1_000_000_000
"""A chord after so long without a note is answered at once; within a solo the next note has a place on the grid."""
ROLL_BARS = 4
KEPT_NOTES, KEPT_ANSWERS, KEPT_WORDS = 4096, 200, 20
SETTING_OF = {"tempo": "tempo_bpm"}
"""Controls that have another name among the settings."""


class Desk:
    """The whole session, small enough to draw ten times a second."""

    def __init__(self, settings: JamSettings, page: str = "", kept: int | None = KEPT_NOTES) -> None:
        self.settings = settings
        self.page = page
        """Its address."""
        self.server = Server("connecting" if settings.server else "none", settings.server)
        self.beat = Beat(0, 0, settings.tempo_bpm, False, settings.clock, settings.beats_a_bar)
        self.status: Status | None = None
        self.harmony: Harmony | None = None
        self.chords: deque[tuple[int, str]] = deque(maxlen=kept)
        self.solo: deque[Played] = deque(maxlen=kept)
        self.player: deque[tuple[int, int, int, int]] = deque(maxlen=kept)
        """What the musician played: pitch, velocity, onset and duration in ticks."""
        self.held: dict[int, tuple[int, int]] = {}
        """What the musician holds: velocity and onset of each pitch."""
        self.first_note_ms: deque[float] = deque(maxlen=KEPT_ANSWERS)
        self.answers: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.words: deque[Happened] = deque(maxlen=KEPT_WORDS)
        self.playing, self.recording, self.ended = True, bool(settings.record), False
        self._asked_ns = 0

    def take(self, message: Message) -> None:
        """Note what a letter says."""
        match message:
            case Beat():
                self.beat = message
            case Status():
                self.status = message
            case Server():
                self.server = message
            case Heard():
                self._hear(message)
            case Played():
                self._play(message)
            case Harmony():
                self._harmonise(message)
            case Asked(outcome=outcome):
                self.answers[outcome] += 1
            case Happened(what=what):
                self.events[what] += 1
                self.words.append(message)
            case Control():
                self._turn(message)
            case Quit():
                self.ended = True

    def ticks(self, now_ns: int) -> int:
        """Where the music is."""
        return max(0, round(self.beat.place(now_ns)))

    def place(self, now_ns: int) -> tuple[int, int]:
        """The bar and the beat, both from 1 on."""
        within = self.ticks(now_ns) - self.beat.bar_ticks % self.beat.bar_length
        return within // self.beat.bar_length + 1, within % self.beat.bar_length // TICKS_PER_QUARTER + 1

    def ahead_bars(self, now_ns: int) -> float:
        """How far the solo is known."""
        return max(0.0, (self.planned_ticks - self.ticks(now_ns)) / self.beat.bar_length)

    @property
    def resting(self) -> bool:
        """Whether the soloist rests until the next chord: then it knows what it plays for ever, which is nothing."""
        return self.status is not None and self.status.rests

    @property
    def planned_ticks(self) -> int:
        """How far the solo is known; while it rests, nothing is."""
        return 0 if self.status is None or self.resting else self.status.planned_ticks

    def notes_since(self, from_ticks: int) -> tuple[list[Played], list[tuple[int, int, int, int]]]:
        """What soloist and musician have played since a place, the newest last; what is held lasts until now."""
        solo = [note for note in self.solo if note.onset_ticks + note.duration_ticks >= from_ticks]
        return solo, [note for note in self.player if note[2] + note[3] >= from_ticks]

    def picture(self, now_ns: int) -> dict[str, Any]:
        """All of it, as the page draws it."""
        ticks, (bar, beat) = self.ticks(now_ns), self.place(now_ns)
        since = ticks - ROLL_BARS * self.beat.bar_length
        solo, player = self.notes_since(since)
        holding = [(pitch, loud, onset, max(1, ticks - onset)) for pitch, (loud, onset) in self.held.items()]
        return {
            "beat": {
                "ticks": ticks,
                "tempo_bpm": self.beat.tempo_bpm,
                "running": self.beat.running,
                "source": self.beat.source,
                "bar": bar,
                "beat": beat,
                "beats_a_bar": self.beat.beats_a_bar,
                "bar_origin": self.beat.bar_ticks,
            },
            "server": self.server._asdict(),
            "ports": self.ports(),
            "chord": {
                "symbol": self.harmony.symbol if self.harmony else "",
                "settled": bool(self.harmony and self.harmony.settled),
            },
            "chords": [chord for chord in self.chords if chord[0] >= since],
            "solo": [(note.pitch, note.velocity, note.onset_ticks, note.duration_ticks, note.source) for note in solo],
            "player": [*player, *holding],
            "ahead_bars": round(self.ahead_bars(now_ns), 2),
            "planned_ticks": self.planned_ticks,
            "resting": self.resting,
            "falling_back": bool(self.status and self.status.falling_back),
            "first_note_ms": self.first_note(),
            "controls": self.controls(),
            "playing": self.playing,
            "recording": self.recording,
            "counts": self.counts(),
            "words": [word.text for word in list(self.words)[-3:]],
            "ended": self.ended,
        }

    def tape(self) -> dict[str, Any]:
        """The last few thousand notes of soloist and musician, and the chords heard: enough to keep a take."""
        return {
            "tempo_bpm": self.beat.tempo_bpm,
            "beats_a_bar": self.beat.beats_a_bar,
            "bar_origin": self.beat.bar_ticks,
            "chords": list(self.chords),
            "solo": [(note.pitch, note.velocity, note.onset_ticks, note.duration_ticks) for note in list(self.solo)],
            "player": list(self.player),
        }

    def hint(self) -> str:
        """The session in a few words, for a line where little fits."""
        chord = self.harmony.symbol if self.harmony else "play a chord"
        server = (
            ""
            if self.server.state == "ready"
            else f" ({'no server' if self.server.state == 'none' else self.server.state})"
        )
        return f"Jamflow: {chord if self.playing else 'stopped'}{server}"

    def ports(self) -> dict[str, bool]:
        """Which ports are there; as long as nothing is known, they are."""
        status = self.status
        return {"input": status is None or status.input_open, "output": status is None or status.output_open}

    def first_note(self) -> dict[str, float | int]:
        """From a chord's first note to the solo's first note: the last time, and the median."""
        if not self.first_note_ms:
            return {"count": 0}
        last, middle = self.first_note_ms[-1], median(self.first_note_ms)
        return {"last": round(last, 1), "p50": round(middle, 1), "count": len(self.first_note_ms)}

    def controls(self) -> dict[str, str | float]:
        """Where every knob stands."""
        names = ("style", "temperature", "top_p", "chord_bias", "lookahead_bars", "clock", "tempo_bpm", "offset_ms")
        return {name: getattr(self.settings, name) for name in names}

    def counts(self) -> dict[str, int]:
        """What was counted since the session began."""
        counted = {f"{source}_notes": self.notes[source] for source in ("model", "pickup", "fallback")}
        if self.status:
            counted |= {name: getattr(self.status, name) for name in ("late", "dropped", "stale", "underruns")}
        return counted | {f"asked_{outcome}": many for outcome, many in self.answers.items()} | dict(self.events)

    def _hear(self, heard: Heard) -> None:
        if len(heard.data) != 3:
            return
        status, pitch, velocity = heard.data
        onset = self.ticks(heard.at_ns)
        if status & KIND not in (NOTE_ON, NOTE_OFF):
            return
        if pitch in self.held:
            loud, began = self.held.pop(pitch)
            self.player.append((pitch, loud, began, max(1, onset - began)))
        if status & KIND == NOTE_ON and velocity:
            self.held[pitch] = (velocity, onset)

    def _play(self, played: Played) -> None:
        self.notes[played.source] += 1
        answers = self.harmony is not None and played.epoch >= self.harmony.epoch and played.source != "fallback"
        if self._asked_ns and answers and played.at_ns >= self._asked_ns:
            self.first_note_ms.append((played.at_ns - self._asked_ns) / 1e6)
            self._asked_ns = 0
        self.solo.append(played)

    def _harmonise(self, harmony: Harmony) -> None:
        is_new = self.harmony is None or harmony.first_note_ns != self.harmony.first_note_ns
        last_ns = self.solo[-1].at_ns if self.solo else -SILENCE_NS
        if is_new and harmony.symbol:
            self._asked_ns = harmony.first_note_ns if harmony.first_note_ns - last_ns >= SILENCE_NS else 0
        if harmony.settled and (not self.chords or self.chords[-1][1] != harmony.symbol):
            self.chords.append((harmony.ticks, harmony.symbol))
        self.harmony = harmony

    def _turn(self, control: Control) -> None:
        setting = SETTING_OF.get(control.name, control.name)
        if control.name in ("start", "stop"):
            self.playing = control.name == "start"
        elif control.name == "record":
            self.recording = control.value == "on"
        elif setting in self.settings._fields:
            self.settings = self.settings._replace(**{setting: control.value})
