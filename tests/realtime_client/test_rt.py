"""The process that plays, as those beside it and those at the other end of its ports meet it."""

import contextlib
import json
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from typing import TypeVar

import pytest

from realtime_client.inside import InsideInput, InsideOutput
from realtime_client.messages import (
    ALONE_S,
    Beat,
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
from realtime_client.ports import open_input, open_output
from realtime_client.probe import probing
from realtime_client.settings import JamSettings

WAIT_S = 5.0
Kind = TypeVar("Kind", bound=Message)
SOUND = 0x90
SILENCE = [(0xB0, 123, 0), *((0x80, pitch, 0) for pitch in range(128))]


class Beside:
    """A brain of the test's, the player's hands and the listener's ears, and rt between them."""

    def __init__(self, leaving: contextlib.ExitStack, **settings: object) -> None:
        self.stage = Stage.anywhere()
        self._leaving = leaving
        names = [f"inside:{uuid.uuid4().hex}" for _ in range(2)]
        self.settings = JamSettings(input_port=names[0], output_port=names[1], tempo_bpm=240)._replace(**settings)  # type: ignore[arg-type]
        self.box = leaving.enter_context(contextlib.closing(Mailbox(self.stage.brain, self.stage.secret)))
        self.keys = leaving.enter_context(contextlib.closing(InsideOutput(self.settings.input_port)))
        self.ears = leaving.enter_context(contextlib.closing(InsideInput(self.settings.output_port)))
        self.process = self.start()
        self.wait_for(Status)

    def start(self, *more: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "realtime_client.rt", self.stage.written(), self.settings.written(), *more]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self._leaving.callback(self._end, process)
        return process

    @staticmethod
    def _end(process: subprocess.Popen) -> None:
        process.kill()
        process.communicate()

    def say(self, *messages) -> None:
        for message in messages:
            self.box.send(message, self.stage.rt)

    def wait_for(self, kind: type[Kind], such: Callable[[Kind], bool] = lambda message: True) -> Kind:
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            select.select([self.box], [], [], 0.05)
            for message in self.box.read():
                if isinstance(message, kind) and such(message):
                    return message
        raise AssertionError(f"no {kind.__name__} within {WAIT_S:g} s")

    def listen(self, until) -> list[tuple[int, ...]]:
        """Hear what is played until it is what is wanted."""
        end, heard = time.monotonic() + WAIT_S, []
        while not until(heard):
            assert time.monotonic() < end, heard
            heard += [data for _, data in self.ears.read()]
            time.sleep(0.005)
        return heard

    def sound(self, pitch: int = 60) -> None:
        """Let a long note begin."""
        here = self.wait_for(Status).ticks
        self.say(Plan(1, here), Note(1, pitch, 90, here, 960_000, at_once=True), Known(1, here + 96_000))
        self.listen(lambda heard: (SOUND, pitch, 90) in heard)


@pytest.fixture
def beside():
    with contextlib.ExitStack() as leaving:
        yield lambda **settings: Beside(leaving, **settings)


def test_what_the_player_does_is_forwarded_and_clock_pulses_are_not(beside):
    beside = beside()
    beside.keys.send((0xF8,))
    beside.keys.send((0x90, 60, 99))
    assert beside.wait_for(Heard).data == (0x90, 60, 99)


def test_a_solo_is_played_in_time_and_told(beside):
    beside = beside()
    first = beside.wait_for(Beat).ticks + 960
    beside.say(Plan(1, first), *(Note(1, 60 + n, 90, first + n * 240, 200) for n in range(4)), Known(1, first + 9600))
    played = [beside.wait_for(Played) for _ in range(4)]
    heard = beside.listen(lambda heard: len(heard) == 8)
    assert [data[:2] for data in heard] == [(kind, 60 + n) for n in range(4) for kind in (0x90, 0x80)]
    assert [note.onset_ticks for note in played] == [first + n * 240 for n in range(4)]
    assert sorted(note.at_ns - note.due_ns for note in played)[1] < 10e6


def test_a_greeting_is_answered_with_the_beat_and_how_things_stand(beside):
    beside = beside()
    beside.say(Hello("brain"))
    assert beside.wait_for(Beat).running
    assert beside.wait_for(Status).output_open


@pytest.mark.parametrize("end", ["quit", "term", "interrupt"])
def test_whatever_ends_it_nothing_goes_on_sounding(beside, end):
    beside = beside()
    beside.sound()
    if end == "quit":
        beside.say(Quit())
    else:
        beside.process.send_signal(signal.SIGTERM if end == "term" else signal.SIGINT)
    beside.listen(lambda heard: heard[-len(SILENCE) :] == SILENCE)
    assert beside.process.wait(WAIT_S) == 0


@pytest.mark.slow
def test_when_main_is_gone_it_ends(beside):
    beside = beside()
    beside.sound()
    beside.say(Hello("main"))
    assert beside.process.wait(ALONE_S + 2) == 0


def test_a_panic_silences_and_the_next_plan_plays_again(beside):
    beside = beside()
    beside.sound()
    beside.say(Control("panic"))
    beside.listen(lambda heard: heard[-len(SILENCE) :] == SILENCE)
    here = beside.wait_for(Status, lambda status: not status.sounding).ticks
    beside.say(Plan(2, here), Note(2, 62, 90, here, 240, at_once=True))
    beside.listen(lambda heard: (SOUND, 62, 90) in heard)


def test_who_starts_it_anew_ends_what_the_one_before_left_sounding(beside):
    beside = beside()
    beside.sound()
    beside.process.kill()
    beside.process.wait()
    beside.start("again")
    assert beside.listen(lambda heard: len(heard) >= len(SILENCE)) == SILENCE


def test_when_the_brain_dies_the_phrase_goes_on(beside):
    beside = beside()
    here = beside.wait_for(Status).ticks
    beside.say(Phrase(960, ((48, 80, 0, 400),)), Plan(1, here), Known(1, here + 960))
    assert beside.wait_for(Happened).what == "underrun"
    for _ in range(3):
        assert beside.wait_for(Played).source == "fallback"
    beside.say(Hello("brain"), Plan(1, here), Known(1, here + 960_000))
    assert not beside.wait_for(Status, lambda status: status.planned_ticks > here + 9600).falling_back


def test_stop_stands_and_start_goes_on(beside):
    beside = beside()
    beside.sound()
    beside.say(Control("stop"))
    stood = beside.wait_for(Beat, lambda beat: not beat.running).ticks
    beside.listen(lambda heard: (0x80, 60, 0) in heard)
    beside.say(Control("start"))
    assert beside.wait_for(Beat, lambda beat: beat.running).ticks - stood < 100


def test_tempo_and_taps_turn_the_beat_and_nonsense_turns_nothing(beside):
    beside = beside()
    beside.say(Control("tempo", "fast"), Control("nonsense", 3), Control("tempo", 90))
    assert beside.wait_for(Beat, lambda beat: beat.tempo_bpm == 90)
    for _ in range(3):
        beside.say(Control("tap"))
        time.sleep(0.3)
    assert beside.wait_for(Beat, lambda beat: beat.source == "tap").tempo_bpm == pytest.approx(200, rel=0.2)


def test_a_midi_clock_leads(beside):
    beside = beside(clock="midi")
    beside.keys.send((0xFA,))
    for _ in range(48):
        beside.keys.send((0xF8,))
        time.sleep(60 / 200 / 24)
    beat = beside.wait_for(Beat, lambda beat: beat.source == "midi" and beat.tempo_bpm != 240)
    assert beat.tempo_bpm < 205, "no faster than the pulses, however late this machine sends them"
    assert beside.wait_for(Happened, lambda happened: happened.what == "clock-lost")


def test_an_output_that_is_unplugged_is_told_and_told_when_it_is_back(beside):
    beside = beside()
    beside.ears.close()
    assert beside.wait_for(Happened, lambda happened: happened.what == "port-lost").text.startswith("inside:")
    beside.ears = InsideInput(beside.settings.output_port)
    assert beside.wait_for(Happened, lambda happened: happened.what == "port-back")
    beside.ears.close()


def test_a_port_that_is_not_there_ends_it_with_a_line_that_no_new_start_helps(jack):
    settings = JamSettings(input_port="grand piano").written()
    command = [sys.executable, "-m", "realtime_client.rt", Stage.anywhere().written(), settings]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("jamflow: input port 'grand piano' is not there. There is none")


def test_a_probe_at_the_other_end_writes_what_arrives_and_when(jack, tmp_path):
    file = tmp_path / "heard.jsonl"
    with probing("Jamflow out", file), contextlib.closing(open_output("")) as port:
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end and not (file.exists() and file.stat().st_size):  # until it has found the port
            port.send((0x90, 60, 100))
            time.sleep(0.05)
        sent_ns = time.perf_counter_ns()
        port.send((0x80, 60, 0))
        time.sleep(0.3)
    last = json.loads(file.read_text().splitlines()[-1])
    assert last["data"] == [0x80, 60, 0]
    assert 0 < last["at_ns"] - sent_ns < 0.2e9


def test_a_port_that_is_missing_in_the_middle_of_a_session_is_taken_up_when_it_comes(jack):
    with contextlib.ExitStack() as leaving:
        beside = Beside(leaving)
        beside.say(Quit())
        beside.process.wait(WAIT_S)
        beside.settings = beside.settings._replace(output_port="Jamflow in")
        beside.start("again")
        assert beside.wait_for(Happened).what == "port-lost"
        leaving.enter_context(contextlib.closing(open_input("")))
        assert beside.wait_for(Happened).what == "port-back"


def test_it_needs_nothing_heavy():
    code = "import sys, realtime_client.rt; print([m for m in ('numpy', 'asyncio', 'yaml', 'rich', 'mido', 'tritonclient') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
