"""The process that plays: MIDI in and out, the clock, the scheduler, and nothing that could make them wait.

Run (main does): python -m realtime_client.rt '<stage>' '<settings>' [again]

With `again` it does not end for a port that is missing, but takes it up when it comes: for whoever starts it anew in the
middle of a session. On Quit, a signal, an error, or when main is gone, it ends, and nothing goes on sounding.
"""

from __future__ import annotations

import contextlib
import select
import signal
import sys
import time
from collections.abc import Sequence
from time import perf_counter_ns

from models.music.errors import JamflowError
from realtime_client.clock import Clock
from realtime_client.conductor import Conductor
from realtime_client.fl_studio.beacons import COMMANDS, command, hint
from realtime_client.messages import (
    TICKS_PER_QUARTER,
    USELESS,
    Control,
    Happened,
    Heard,
    Hello,
    Known,
    Mailbox,
    Message,
    Note,
    Phrase,
    Plan,
    Played,
    Quit,
    Stage,
    Status,
)
from realtime_client.midi_bytes import ALL_NOTES_OFF, CONTROL_CHANGE, NOTE_OFF, NOTE_ON, SYSTEM
from realtime_client.midi_input import Arrival, EchoGuard
from realtime_client.ports import Input, Output, Port, open_input, open_output
from realtime_client.punctual import never_collect, take_priority
from realtime_client.scheduler import On, Scheduler, Sent
from realtime_client.settings import RANGES, JamSettings

PITCHES = 128
PRIORITY = 50
"""Below JACK's, above the brain's."""
STATUS_NS, LOOK_NS = 50_000_000, 1_000_000_000
QUIET_NS = 20_000_000
"""Ports are looked at where nothing is due for so long."""
NEWS_TICKS = 4
"""A place that differs by more from what was told (2 ms at 120 BPM) is told anew."""
DRAIN_S = 0.02
"""The MIDI system sends what it was given before its port closes."""


class Player:
    """Everything that must be punctual."""

    def __init__(self, stage: Stage, mailbox: Mailbox, heard: Input, played: Output, settings: JamSettings) -> None:
        now_ns = perf_counter_ns()
        self._stage, self._mailbox = stage, mailbox
        self._input, self._output = heard, played
        self._channel = settings.channel - 1
        self._clock = Clock(now_ns, settings.tempo_bpm, settings.beats_a_bar)
        self._conductor = Conductor(self._clock, settings.clock, self._tell)
        self._scheduler = Scheduler(settings.polyphony, self._clock.bar_line, round(settings.offset_ms * 1e6))
        self._echo = EchoGuard()
        self._told = self._clock.beat(now_ns)
        self._underruns = 0
        self._status_ns = self._look_ns = now_ns
        self._is_over = False

    def play(self) -> None:
        """Play until it is over; whatever ends it, nothing goes on sounding."""
        take_priority(PRIORITY)
        never_collect()
        try:
            self._mailbox.send(Hello("rt"), self._stage.brain)
            self._say(self._told)
            for port in (self._input, self._output):
                self._tell_of(port, was_open=True)
            while not self._is_over and not self._mailbox.is_alone:
                self._wait()
                self._send(self._scheduler.due(perf_counter_ns(), self._clock.timeline))
                for arrival in self._input.read():
                    self._hear(arrival)
                for message in self._mailbox.read():
                    self._obey(message)
                if not self._clock.timeline.running:
                    self._send(self._scheduler.silence())
                self._report(perf_counter_ns())
        finally:
            self.panic()

    def stop(self, *_: object) -> None:
        """Be a signal's handler: end after this round."""
        self._is_over = True

    def panic(self) -> None:
        """Silence everything, also what an earlier process left sounding."""
        self._send(self._scheduler.forget())
        self._output.send((CONTROL_CHANGE | self._channel, ALL_NOTES_OFF, 0))
        for pitch in range(PITCHES):
            self._output.send((NOTE_OFF | self._channel, pitch, 0))

    def _wait(self) -> None:
        """Sleep until something comes or is due: in real time that is as exact as spinning, and holds on a busy machine."""
        now_ns, timeline = perf_counter_ns(), self._clock.timeline
        quarter_ns = timeline.ns_at(self._quarter(now_ns) + TICKS_PER_QUARTER)
        wake_ns = min(self._scheduler.next_ns(timeline), quarter_ns, self._status_ns)
        select.select([self._mailbox, self._input], [], [], max(0, wake_ns - now_ns) / 1e9)

    def _send(self, sent: Sequence[Sent]) -> None:
        for one in sent:
            if not isinstance(one, On):
                self._output.send((NOTE_OFF | self._channel, one.pitch, 0))
                continue
            note = one.note
            data = (NOTE_ON | self._channel, note.pitch, note.velocity)
            self._output.send(data)
            at_ns = perf_counter_ns()
            self._echo.sent(at_ns, data)
            played = Played(at_ns, one.due_ns, note.pitch, note.velocity, note.onset_ticks, note.duration_ticks, note.source, note.epoch)  # fmt: skip
            self._say(played)

    def _hear(self, arrival: Arrival) -> None:
        self._conductor.hear(arrival.data, arrival.at_ns)
        if arrival.data[0] < SYSTEM and not self._echo.is_echo(arrival.at_ns, arrival.data):
            self._say(Heard(arrival.at_ns, arrival.data))

    def _obey(self, message: Message) -> None:
        now_ns, timeline = perf_counter_ns(), self._clock.timeline
        match message:
            case Note():
                self._scheduler.add(message, now_ns, timeline)
            case Plan():
                self._scheduler.plan(message, now_ns, timeline)
            case Known():
                self._scheduler.know(message)
            case Phrase():
                self._scheduler.fall_back_on(message)
            case Control(name, value):
                self._turn(name, value, now_ns)
            case Hello("brain" | "ui" as who):
                if who == "brain":
                    self._scheduler.begin_again()
                for answer in (self._clock.beat(now_ns), self._status(now_ns)):
                    self._mailbox.send(answer, getattr(self._stage, who))
            case Quit():
                self._is_over = True

    def _turn(self, name: str, value: str | float, now_ns: int) -> None:
        match name, value:
            case "tempo", float() | int():
                self._conductor.set_tempo(now_ns, value)
            case "offset_ms", float() | int():
                low, high = RANGES["offset_ms"]
                self._scheduler.offset_ns = round(min(max(value, low), high) * 1e6)
            case "clock", str():
                self._conductor.follow(value)
            case "tap", _:
                self._conductor.tap(now_ns)
            case "start", _:
                self._clock.run(now_ns)
            case "stop", _:
                self._clock.stand(now_ns)
            case "panic", _:
                self.panic()
            case "fl" | "hint", str():
                self._tell_fl(name, value)

    def _tell_fl(self, name: str, value: str) -> None:
        """Ask FL Studio's script for something, in SysEx that nobody else takes for music."""
        if name == "hint":
            self._output.send(tuple(hint(value)))
        elif value in COMMANDS:
            self._output.send(tuple(command(value)))

    def _report(self, now_ns: int) -> None:
        """Say what is news: the beat, an under-run, a port; and twenty times a second how things stand."""
        self._report_beat(now_ns)
        if self._scheduler.counts.underruns > self._underruns:
            self._underruns = self._scheduler.counts.underruns
            self._tell("underrun", "the solo was not known in time; the fallback plays")
        if now_ns >= self._status_ns:
            self._status_ns = now_ns + STATUS_NS
            self._conductor.look(now_ns)
            self._say(self._status(now_ns))
        if now_ns >= self._look_ns and self._scheduler.next_ns(self._clock.timeline) - now_ns > QUIET_NS:
            self._look_ns = now_ns + LOOK_NS
            for port in (self._input, self._output):
                self._look(port)

    def _report_beat(self, now_ns: int) -> None:
        told, timeline = self._told, self._clock.timeline
        place = self._clock.place(now_ns)
        beat = self._clock.beat(now_ns)
        drift = abs(told.place(now_ns) - place)
        is_news = drift > NEWS_TICKS or (told.running, told.source, told.beats_a_bar, told.bar_ticks) != (
            beat.running,
            beat.source,
            beat.beats_a_bar,
            beat.bar_ticks,
        )
        if timeline.running and told.ticks < self._quarter(now_ns):
            beat, is_news = self._clock.quarter(now_ns), True
        if is_news:
            self._told = beat
            self._say(beat)

    def _look(self, port: Port) -> None:
        was_open = port.is_open
        port.look()
        self._tell_of(port, was_open)

    def _tell_of(self, port: Port, was_open: bool) -> None:
        if was_open != port.is_open:
            what = "port-back" if port.is_open else "port-lost"
            self._tell(what, f"{port.name} is {'back' if port.is_open else 'gone'}")

    def _quarter(self, now_ns: int) -> int:
        return int(self._clock.place(now_ns)) // TICKS_PER_QUARTER * TICKS_PER_QUARTER

    def _status(self, now_ns: int) -> Status:
        scheduler, counts = self._scheduler, self._scheduler.counts
        return Status(
            at_ns=now_ns,
            ticks=int(self._clock.place(now_ns)),
            planned_ticks=int(scheduler.known_ticks or 0),
            sounding=scheduler.sounding,
            waiting=scheduler.waiting,
            late=counts.late,
            dropped=counts.dropped,
            stale=counts.stale,
            underruns=counts.underruns,
            falling_back=scheduler.falling_back,
            input_open=self._input.is_open,
            output_open=self._output.is_open,
        )

    def _tell(self, what: str, text: str) -> None:
        self._say(Happened(perf_counter_ns(), "rt", what, text))

    def _say(self, message: Message) -> None:
        self._mailbox.send(message, self._stage.brain, self._stage.ui, self._stage.main)


def main(arguments: list[str]) -> int:
    stage, settings = Stage.read(arguments[0]), JamSettings.read(arguments[1])
    again = "again" in arguments[2:]
    with contextlib.ExitStack() as leaving:
        mailbox = leaving.enter_context(contextlib.closing(Mailbox(stage.rt, stage.secret)))
        try:
            heard = leaving.enter_context(contextlib.closing(open_input(settings.input_port, wait=again)))
            played = leaving.enter_context(contextlib.closing(open_output(settings.output_port, wait=again)))
        except JamflowError as error:
            print(f"jamflow: {error}", file=sys.stderr)
            return USELESS
        leaving.callback(time.sleep, DRAIN_S)
        player = Player(stage, mailbox, heard, played, settings)
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if number := getattr(signal, name, None):
                signal.signal(number, player.stop)
        if again:
            player.panic()
        player.play()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
