"""What the brain decides: which chord holds, what is asked of the model and when, and when to rest. No sockets, no threads.

    soloist = Soloist(settings, now_ns)
    for each in soloist.hear(letter, now_ns): ...      # letters to send, and Jobs for the worker; Job | None silences it
    for each in soloist.look(now_ns): ...              # at soloist.next_look_ns, and whenever anything came

A chord that comes into silence is answered at once: the model's first note is played when it comes, and a tone of the chord
if that takes too long. While the solo goes on, a new chord changes it from the commit horizon on, and the solo is kept
ahead of the beat. When no chord has come for some bars it rests, and counts the bars: the server reads along, so that its
next entry is as quick as the first.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from models.music.chords import Chord
from models.music.notes import TICKS_PER_QUARTER
from realtime_client.chord_collector import ChordCollector, HeardChord
from realtime_client.fallback import fallback_phrase, pickup_pitch
from realtime_client.generation_worker import PATIENCE_S, Came, Ended, Job
from realtime_client.messages import (
    FOREVER_TICKS,
    Asked,
    Beat,
    Control,
    Happened,
    Harmony,
    Heard,
    Hello,
    Known,
    Message,
    Note,
    Phrase,
    Plan,
    Played,
    Server,
)
from realtime_client.prompt_builder import STEP, PromptBuilder, commit_ticks
from realtime_client.pulse import Pulse
from realtime_client.quantile import percentile
from realtime_client.settings import RANGES, JamSettings
from serving.contracts.jam import Cue

PICKUP_NS = 35_000_000
PICKUP_VELOCITY = 88
PICKUP_TICKS = 2 * STEP
MOST_PATIENCE_S = 1.0
"""However much is planned: another session shall begin before that has been played."""
TEMPO_MOVED = 0.04
"""The model is told a new tempo when it has changed by so much: each is another beginning of what it reads."""
ROUND_TRIPS = 64
QUICK_MS = 25.0
"""Sooner than a chord is settled."""
SOON = TICKS_PER_QUARTER
"""A first note that falls so soon is played when it comes, even where a pick-up was heard before."""
PATIENT = 4.0
"""Round trips, of the longer ones."""
KNOBS = ("temperature", "top_p", "chord_bias", "lookahead_bars", "seed")


class Silence(NamedTuple):
    """For the worker: stop playing."""


Deed = Message | Job | Silence


@dataclass
class Entry:
    """A chord that came into silence and waits for a first note."""

    trigger_ns: int
    sounded: bool = False


class Soloist:
    """One session's decisions; `hear` and `look` return what follows from them."""

    def __init__(self, settings: JamSettings, now_ns: int, remembered: str = "") -> None:
        self.settings = settings
        self.epoch = now_ns // 1_000_000  # above those of a brain that has just died
        self.chord: Chord | None = None
        self.resting = True
        self._stopped = False
        self._collector = ChordCollector()
        self._server = Server(
            "connecting" if settings.server else "none", settings.server or "fallback phrases are played"
        )
        self._pulse: Pulse | None = None
        self._prompt = PromptBuilder(0, 1)
        self._planned = self._known = 0
        self._job: Job | None = None
        self._entry: Entry | None = None
        self._asked_for: Chord | None = None
        """The chord that the plan was made for; another one waits until it is settled."""
        self._harmony: Harmony | None = None
        self._phrase: Phrase | None = None
        self._round_trips: deque[float] = deque(maxlen=ROUND_TRIPS)
        self._told_tempo_bpm = settings.tempo_bpm
        self._mark_ns = 0
        self._deeds: list[Deed] = []
        if remembered:
            self._remember(remembered, now_ns)

    @property
    def next_look_ns(self) -> int:
        """When to look at the latest; 0 for not before a letter (they come twenty times a second)."""
        entry = self._entry
        pickup_ns = entry.trigger_ns + PICKUP_NS if entry and not entry.sounded else 0
        return min(filter(None, (self._collector.next_look_ns, pickup_ns)), default=0)

    @property
    def memory(self) -> str:
        """What another brain needs to go on."""
        knobs = {name: getattr(self.settings, name) for name in ("style", *KNOBS)}
        playing = self.chord if not self.resting else None
        return json.dumps({"chord": str(playing or ""), "stopped": self._stopped, "knobs": knobs})

    def hear(self, letter: Message | Came | Ended, now_ns: int) -> list[Deed]:
        """Take in a letter."""
        match letter:
            case Heard():
                self._chord_heard(self._collector.hear(letter), now_ns)
            case Beat():
                self._keep_time(letter, now_ns)
            case Came():
                self._note_came(letter, now_ns)
            case Ended():
                self._job_ended(letter, now_ns)
            case Played() if letter.source != "model":
                self._prompt.play((letter.pitch, letter.velocity, letter.onset_ticks, max(1, letter.duration_ticks)))
            case Server():
                self._server_changed(letter, now_ns)
            case Control():
                self._turned(letter, now_ns)
            case Hello(who) if who != "main":
                self._greeted(who)
        return self.look(now_ns)

    def look(self, now_ns: int) -> list[Deed]:
        """Do what is due."""
        self._chord_heard(self._collector.look(now_ns), now_ns)
        if self._pulse and self._pulse.beat.running:
            if self.resting:
                self._mark_time(now_ns)
            else:
                self._pick_up(now_ns)
                self._rest_if_alone(now_ns)
                self._ask_more(now_ns)
        done, self._deeds = self._deeds, []
        return done

    # Chords

    def _chord_heard(self, heard: HeardChord | None, now_ns: int) -> None:
        if heard is None:
            return
        self.chord = heard.chord
        place = self._pulse.place(heard.first_note_ns) if self._pulse else 0
        self._prompt.harmony(place, heard.chord)
        if not self._stopped and (self.resting or heard.chord != self._asked_for):
            self._answer(heard, now_ns)
        self._harmony = Harmony(now_ns, heard.first_note_ns, place, str(heard.chord), heard.settled, self.epoch)
        self._deeds.append(self._harmony)

    def _answer(self, heard: HeardChord, now_ns: int) -> None:
        """A chord that is new: other notes from here on."""
        if self.resting:
            self._entry, self._asked_for = Entry(heard.first_note_ns), None
        begins, self.resting = self.resting, False
        self._make_phrase()
        if not self._pulse or not self._pulse.beat.running:
            return
        waits = self._entry is not None and not self._entry.sounded
        if self._is_worth_asking(heard):
            self._begin(now_ns, 0 if waits else self._commit(), heard.first_note_ns)
        elif begins:
            self._plan(now_ns, 0)

    def _is_worth_asking(self, heard: HeardChord) -> bool:
        """Whether to ask for a guess: it keeps the server busy until a first note, be it right or wrong."""
        return heard.settled or heard.known or percentile(self._round_trips, 0.5) < QUICK_MS

    def _make_phrase(self) -> None:
        pulse, chord = self._pulse, self.chord
        if pulse and chord:
            made = fallback_phrase(chord, pulse.beat.beats_a_bar, pulse.beat.tempo_bpm, self.settings.seed)
            if made != self._phrase:
                self._phrase = made
                self._deeds.append(made)

    def _pick_up(self, now_ns: int) -> None:
        """Play a tone of the chord when the model takes too long for a first note."""
        entry = self._entry
        if not entry or entry.sounded or now_ns < entry.trigger_ns + PICKUP_NS or not self.chord or not self._pulse:
            return
        entry.sounded = True
        place, pitch = self._pulse.place(now_ns), pickup_pitch(self.chord)
        self._deeds.append(Note(self.epoch, pitch, PICKUP_VELOCITY, place, PICKUP_TICKS, "pickup", at_once=True))

    # Plans

    def _begin(self, now_ns: int, ahead: int, trigger_ns: int = 0) -> None:
        """Let another solo begin so far ahead of now."""
        self._asked_for = self.chord
        self._plan(now_ns, ahead)
        self._ask(now_ns, trigger_ns)

    def _plan(self, now_ns: int, ahead: int) -> None:
        assert self._pulse, "somebody gives the beat"
        self.epoch += 1
        self._planned = self._known = self._prompt.on_grid(self._pulse.place(now_ns) + ahead)
        self._prompt.cut(self._planned)
        self._deeds.append(Plan(self.epoch, self._planned))

    def _ask_more(self, now_ns: int) -> None:
        """Keep the solo ahead of the beat."""
        if self._server.state != "ready" or not self._pulse or self.resting or self.chord != self._asked_for:
            return
        now, commit = self._pulse.place(now_ns), self._commit()
        if self._job and self._job.until_ticks > now + commit:
            return
        ahead = self._planned - now
        if ahead < commit // 2:
            self._begin(now_ns, commit)
        elif ahead < self.settings.lookahead_bars * self._pulse.bar_length:
            self._ask(now_ns)

    def _ask(self, now_ns: int, trigger_ns: int = 0) -> None:
        """Ask for what comes after all that is planned, to the end of a bar."""
        if self._server.state != "ready" or not self._pulse:
            self._deeds.append(Silence())
            return
        bar = self._pulse.bar_length
        until = self._pulse.bar_line(self._planned + bar // 2) + bar
        ahead_s = self._pulse.seconds(self._planned - self._pulse.place(now_ns))
        patience_s = max(PATIENCE_S, ahead_s, PATIENT * percentile(self._round_trips, 0.95) / 1000)
        cue = self._cue(self._planned, until)
        self._send(Job(self.epoch, cue, self._planned, trigger_ns, min(MOST_PATIENCE_S, patience_s)))

    def _send(self, job: Job) -> None:
        self._job = job
        self._deeds.append(job)

    def _cue(self, start: int, until: int) -> Cue:
        assert self._pulse, "somebody gives the beat"
        beat, knobs = self._pulse.beat, self.settings
        if abs(beat.tempo_bpm / self._told_tempo_bpm - 1) > TEMPO_MOVED:
            self._told_tempo_bpm = beat.tempo_bpm
        styles = self._server.styles
        return self._prompt.cue(
            start, until, tempo_bpm=self._told_tempo_bpm, meter=(beat.beats_a_bar, 4),
            style=styles.index(knobs.style) if knobs.style in styles else 0,
            temperature=knobs.temperature, top_p=knobs.top_p, chord_bias=knobs.chord_bias, seed=knobs.seed + start,
        )  # fmt: skip

    def _commit(self) -> int:
        assert self._pulse, "somebody gives the beat"
        return commit_ticks(self._pulse.beat.tempo_bpm, percentile(self._round_trips, 0.95))

    def _known_until(self, ticks: int) -> None:
        """Tell rt how far the solo is known."""
        if ticks > self._known:
            self._known = ticks
            self._deeds.append(Known(self.epoch, ticks))

    # Answers

    def _note_came(self, came: Came, now_ns: int) -> None:
        if came.job.epoch != self.epoch or not came.job.aloud or not self._pulse:
            return
        pitch, velocity, onset, duration = came.note
        at_once = False
        if entry := self._entry:
            at_once = not entry.sounded or onset < self._pulse.place(now_ns) + SOON
            self._entry = None
        self._prompt.play(came.note)
        self._deeds.append(Note(self.epoch, pitch, velocity, onset, duration, "model", at_once))
        self._planned = max(self._planned, onset)
        self._known_until(onset)

    def _job_ended(self, ended: Ended, now_ns: int) -> None:
        job = ended.job
        if job is self._job:
            self._job = None
            if job.aloud and job.epoch == self.epoch and ended.outcome == "whole":
                self._planned = job.until_ticks
                self._known_until(self._planned)
        if ended.outcome == "whole":
            self._round_trips.append(((ended.first_note_ns or ended.done_ns) - ended.sent_ns) / 1e6)
        elif ended.outcome != "superseded":
            self._happened(
                now_ns, ended.outcome, f"a request from {job.start_ticks} on ended after {ended.notes} notes"
            )
        if job.aloud:
            self._deeds.append(Asked(
                job.epoch, job.trigger_ns, ended.sent_ns, ended.first_note_ns, ended.done_ns,
                job.start_ticks, job.cue.horizon_ticks, ended.notes, ended.outcome,
            ))  # fmt: skip

    def _server_changed(self, told: Server, now_ns: int) -> None:
        before, self._server = self._server, told._replace(round_trip_ms=percentile(self._round_trips, 0.95))
        if told.state == "lost":
            self._job = None
            if before.state != "connecting":
                self._happened(now_ns, "lost", told.text)
        elif told.state == "ready" and self._round_trips:
            self._happened(now_ns, "reconnected", told.text)
        self._deeds.append(self._server)

    # Time

    def _keep_time(self, beat: Beat, now_ns: int) -> None:
        before, self._pulse = self._pulse, Pulse(beat)
        if before is None or not before.agrees(beat):
            self._prompt = PromptBuilder(self._pulse.bar_line(beat.ticks), self._pulse.bar_length)
            self._planned, self._job = 0, None
            if self.chord:
                self._prompt.harmony(beat.ticks, self.chord)
        if before is None or before.beat.beats_a_bar != beat.beats_a_bar:
            self._make_phrase()

    def _rest_if_alone(self, now_ns: int) -> None:
        bars, pulse = self.settings.rest_after_bars, self._pulse
        if bars and pulse and not self._collector.is_held and now_ns - self._collector.heard_ns > bars * pulse.bar_ns:
            self._rest(pulse.bar_line(pulse.place(now_ns)) + pulse.bar_length)

    def _rest(self, ticks: int) -> None:
        """Play nothing from here on, until a chord comes."""
        self.epoch += 1
        self.resting, self._entry, self._job = True, None, None
        self._collector.forget()
        self._prompt.cut(ticks)
        self._deeds += [Plan(self.epoch, ticks), Known(self.epoch, FOREVER_TICKS), Silence()]

    def _mark_time(self, now_ns: int) -> None:
        """Count the bars of a rest with the server: it reads along, and shows that it lives."""
        if self._job or self._server.state != "ready" or now_ns < self._mark_ns or not self._pulse:
            return
        self._mark_ns = now_ns + self._pulse.bar_ns
        start = self._prompt.on_grid(self._pulse.place(now_ns))
        self._send(Job(self.epoch, self._cue(start, start + STEP), start, aloud=False))

    # Words from outside

    def _turned(self, control: Control, now_ns: int) -> None:
        name, value = control
        if name in ("stop", "panic") and self._pulse:
            self._stopped = name == "stop"
            self._rest(self._pulse.place(now_ns))
        elif name == "start":
            self._stopped = False
        elif name == "style":
            self._knob(name, str(value), now_ns)
        elif name in KNOBS:
            low, high = RANGES.get(name, (0, 2**31))
            number = min(high, max(low, float(value)))
            self._knob(name, int(number) if name == "seed" else number, now_ns)

    def _knob(self, name: str, value: str | float, now_ns: int) -> None:
        self.settings = self.settings._replace(**{name: value})
        if name != "lookahead_bars" and not self.resting and self._pulse and self._pulse.beat.running:
            self._begin(now_ns, self._commit())

    def _greeted(self, who: str) -> None:
        """Tell whoever has just begun how things stand."""
        if who == "rt":
            self._pulse = None  # its ticks begin anew
            self._entry = None
            if self._phrase:
                self._deeds.append(self._phrase)
        self._deeds.append(self._server)
        if self._harmony:
            self._deeds.append(self._harmony)

    def _remember(self, text: str, now_ns: int) -> None:
        """Go on where another brain has ended."""
        kept = json.loads(text)
        self.settings = self.settings._replace(**kept["knobs"])
        self._stopped = bool(kept["stopped"])
        if kept["chord"]:
            self.chord = self._asked_for = self._collector.latched = Chord.parse(kept["chord"])
            self._collector.heard_ns = now_ns
            self.resting = False

    def _happened(self, now_ns: int, what: str, text: str) -> None:
        self._deeds.append(Happened(now_ns, "brain", what, text))
