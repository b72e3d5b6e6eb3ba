"""The solo that is being played: how far it is planned and known, and what is asked of the model to carry it on.

    solo = Solo(settings, now_ns, tell=deeds.append)    # tell takes letters to send, and Jobs for the worker
    solo.keep_time(beat, chord)                         # nothing is asked before there is a beat
    solo.begin(now_ns, ahead)                           # another solo, from so many ticks ahead on
    solo.go_on(now_ns)                                  # ask for more where it will soon be needed

Which chord holds and when to rest is the Soloist's to say (realtime_client/soloist.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from models.music.chords import Chord
from realtime_client.generation_worker import PATIENCE_S, Ended, Job
from realtime_client.guard import NoteRow
from realtime_client.messages import FOREVER_TICKS, Asked, Beat, Happened, Known, Message, Note, Plan, Server
from realtime_client.prompt_builder import STEP, PromptBuilder, commit_ticks
from realtime_client.pulse import Pulse
from realtime_client.quantile import percentile
from realtime_client.settings import JamSettings
from serving.contracts.jam import Cue

MOST_PATIENCE_S = 1.0
"""However much is planned: another session shall begin before that has been played."""
PATIENT = 4.0
"""Round trips, of the longer ones."""
TEMPO_MOVED = 0.04
"""The model is told a new tempo when it has changed by so much: each is another beginning of what it reads."""
ROUND_TRIPS = 64
QUICK_MS = 25.0
"""Sooner than a chord is settled."""


class Silence(NamedTuple):
    """For the worker: stop playing."""


Deed = Message | Job | Silence


class Solo:
    """What is planned, asked for and known."""

    def __init__(self, settings: JamSettings, now_ns: int, tell: Callable[[Deed], None]) -> None:
        self.settings = settings
        self.epoch = now_ns // 1_000_000  # above those of a brain that has just died
        self.pulse: Pulse | None = None
        self.prompt = PromptBuilder(0, 1)
        self.server = Server(
            "connecting" if settings.server else "none", settings.server or "fallback phrases are played"
        )
        self._tell = tell
        self._planned = self._known = 0
        self._job: Job | None = None
        self._round_trips: deque[float] = deque(maxlen=ROUND_TRIPS)
        self._told_tempo_bpm = settings.tempo_bpm
        self._mark_ns = 0

    @property
    def runs(self) -> bool:
        """Whether somebody gives the beat, and it goes on."""
        return self.pulse is not None and self.pulse.beat.running

    @property
    def is_quick(self) -> bool:
        """Whether the model's answers come sooner than a chord is settled."""
        return percentile(self._round_trips, 0.5) < QUICK_MS

    @property
    def commit(self) -> int:
        """So far ahead the solo stays as it is."""
        assert self.pulse, "somebody gives the beat"
        return commit_ticks(self.pulse.beat.tempo_bpm, percentile(self._round_trips, 0.95))

    def keep_time(self, beat: Beat, chord: Chord | None) -> None:
        """Follow the beat; where it leaps, the prompt begins anew with the chord that holds."""
        before, self.pulse = self.pulse, Pulse(beat)
        if before is None or not before.agrees(beat):
            self.prompt = PromptBuilder(self.pulse.bar_line(beat.ticks), self.pulse.bar_length)
            self._planned, self._job = 0, None
            if chord:
                self.prompt.harmony(beat.ticks, chord)

    # Plans

    def begin(self, now_ns: int, ahead: int, trigger_ns: int = 0) -> None:
        """Let another solo begin so far ahead of now."""
        self.plan(now_ns, ahead)
        self._ask(now_ns, trigger_ns)

    def plan(self, now_ns: int, ahead: int) -> None:
        """The same, but nothing is asked of the model yet."""
        assert self.pulse, "somebody gives the beat"
        self.epoch += 1
        self._planned = self._known = self.prompt.on_grid(self.pulse.place(now_ns) + ahead)
        self.prompt.cut(self._planned)
        self._tell(Plan(self.epoch, self._planned))

    def go_on(self, now_ns: int) -> None:
        """Keep the solo ahead of the beat."""
        if self.server.state != "ready" or not self.pulse:
            return
        now, commit = self.pulse.place(now_ns), self.commit
        if self._job and self._job.until_ticks > now + commit:
            return
        ahead = self._planned - now
        if ahead < commit // 2:
            self.begin(now_ns, commit)
        elif ahead < self.settings.lookahead_bars * self.pulse.bar_length:
            self._ask(now_ns)

    def rest(self, ticks: int) -> None:
        """Play nothing from here on, until another solo begins."""
        self.epoch += 1
        self._job = None
        self.prompt.cut(ticks)
        for deed in (Plan(self.epoch, ticks), Known(self.epoch, FOREVER_TICKS), Silence()):
            self._tell(deed)

    def mark_time(self, now_ns: int) -> None:
        """Count the bars of a rest with the server: it reads along, and shows that it lives."""
        if self._job or self.server.state != "ready" or now_ns < self._mark_ns or not self.pulse:
            return
        self._mark_ns = now_ns + self.pulse.bar_ns
        start = self.prompt.on_grid(self.pulse.place(now_ns))
        self._send(Job(self.epoch, self._cue(start, start + STEP), start, aloud=False))

    def _ask(self, now_ns: int, trigger_ns: int = 0) -> None:
        """Ask for what comes after all that is planned, to the end of a bar."""
        if self.server.state != "ready" or not self.pulse:
            self._tell(Silence())
            return
        bar = self.pulse.bar_length
        until = self.pulse.bar_line(self._planned + bar // 2) + bar
        ahead_s = self.pulse.seconds(self._planned - self.pulse.place(now_ns))
        patience_s = max(PATIENCE_S, ahead_s, PATIENT * percentile(self._round_trips, 0.95) / 1000)
        cue = self._cue(self._planned, until)
        self._send(Job(self.epoch, cue, self._planned, trigger_ns, min(MOST_PATIENCE_S, patience_s)))

    def _send(self, job: Job) -> None:
        self._job = job
        self._tell(job)

    def _cue(self, start: int, until: int) -> Cue:
        assert self.pulse, "somebody gives the beat"
        beat, knobs = self.pulse.beat, self.settings
        if abs(beat.tempo_bpm / self._told_tempo_bpm - 1) > TEMPO_MOVED:
            self._told_tempo_bpm = beat.tempo_bpm
        styles = self.server.styles
        return self.prompt.cue(
            start, until, tempo_bpm=self._told_tempo_bpm, meter=(beat.beats_a_bar, 4),
            style=styles.index(knobs.style) if knobs.style in styles else 0,
            temperature=knobs.temperature, top_p=knobs.top_p, chord_bias=knobs.chord_bias, seed=knobs.seed + start,
        )  # fmt: skip

    # Answers

    def awaits(self, job: Job) -> bool:
        """Whether a note of this job still has its place."""
        return job.epoch == self.epoch and job.aloud

    def take(self, note: NoteRow, at_once: bool) -> None:
        """Play a note that the model has thought of."""
        pitch, velocity, onset, duration = note
        self.prompt.play(note)
        self._tell(Note(self.epoch, pitch, velocity, onset, duration, "model", at_once))
        self._planned = max(self._planned, onset)
        self._known_until(onset)

    def job_ended(self, ended: Ended, now_ns: int) -> None:
        """Learn from what became of a job, and tell it."""
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
            self._tell(Asked(
                job.epoch, job.trigger_ns, ended.sent_ns, ended.first_note_ns, ended.done_ns,
                job.start_ticks, job.cue.horizon_ticks, ended.notes, ended.outcome,
            ))  # fmt: skip

    def server_changed(self, told: Server, now_ns: int) -> None:
        """Follow how it stands with the server, and tell it with the time that its answers take."""
        before, self.server = self.server, told._replace(round_trip_ms=percentile(self._round_trips, 0.95))
        if told.state == "lost":
            self._job = None
            if before.state != "connecting":
                self._happened(now_ns, "lost", told.text)
        elif told.state == "ready" and self._round_trips:
            self._happened(now_ns, "reconnected", told.text)
        self._tell(self.server)

    def _known_until(self, ticks: int) -> None:
        """Tell rt how far the solo is known."""
        if ticks > self._known:
            self._known = ticks
            self._tell(Known(self.epoch, ticks))

    def _happened(self, now_ns: int, what: str, text: str) -> None:
        self._tell(Happened(now_ns, "brain", what, text))
