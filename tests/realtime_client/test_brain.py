"""The brain as a process: told a chord it plans, without a server it falls back, killed it goes on with the chord that held."""

import contextlib
import os
import select
import subprocess
import sys
import time
from time import perf_counter_ns

import pytest

from realtime_client.messages import Beat, Harmony, Heard, Hello, Mailbox, Note, Phrase, Plan, Quit, Server, Stage
from realtime_client.settings import JamSettings

EVER_S = 20.0


class Room:
    """rt and ui as far as a brain can tell."""

    def __init__(self, home):
        self.stage, self._home = Stage.anywhere(), home
        self.rt, self.ui = (Mailbox(where, self.stage.secret) for where in (self.stage.rt, self.stage.ui))
        self.came = []
        self.brain = None

    def start(self, settings):
        words = [sys.executable, "-m", "realtime_client.brain", self.stage.written(), settings.written()]
        self.brain = subprocess.Popen(words, env=dict(self._home))

    def send(self, *letters):
        for letter in letters:
            self.rt.send(letter, self.stage.brain)

    def beat(self):
        self.send(Beat(perf_counter_ns(), 960, 120.0, True, "internal"))

    def chord(self, *pitches):
        self.send(*(Heard(perf_counter_ns(), (0x90, pitch, 80)) for pitch in pitches))

    def until(self, kind, **fields):
        end = time.monotonic() + EVER_S
        while time.monotonic() < end:
            while self.came:
                letter = self.came.pop(0)
                if isinstance(letter, kind) and all(getattr(letter, name) == value for name, value in fields.items()):
                    return letter
            select.select([self.rt, self.ui], [], [], 0.5)
            self.came += [*self.rt.read(), *self.ui.read()]
        raise AssertionError(f"no {kind.__name__} came")

    def close(self):
        if self.brain:
            self.brain.kill()
            self.brain.wait()
        for box in (self.rt, self.ui):
            box.close()


@pytest.fixture
def room(tmp_path):
    with contextlib.closing(Room({**os.environ, "JAMFLOW_HOME": str(tmp_path)})) as room:
        yield room


def test_without_a_server_a_chord_is_named_planned_and_given_a_phrase(room):
    room.start(JamSettings())
    room.until(Hello, who="brain")
    room.beat()
    room.chord(45, 60, 64, 67)
    assert room.until(Harmony, settled=True).symbol == "Am7"
    room.send(Hello("ui"))
    assert room.until(Server).state == "none"
    room.send(Quit())
    assert room.brain.wait(5) == 0


def test_a_brain_that_is_killed_is_followed_by_one_that_knows_the_chord(room):
    room.start(JamSettings())
    room.until(Hello, who="brain")
    room.beat()
    room.chord(45, 60, 64, 67)
    first = room.until(Harmony, settled=True)
    assert first.symbol == "Am7"
    time.sleep(0.3)
    room.brain.kill()
    room.brain.wait()
    room.start(JamSettings())
    room.until(Hello, who="brain")
    room.beat()
    phrase = room.until(Phrase)
    assert phrase.notes[0][0] % 12 in {9, 0, 4, 7}
    room.chord(50, 60, 66, 69)
    assert room.until(Harmony, settled=True).epoch > first.epoch


def test_a_server_that_is_not_there_is_waited_for_while_the_pick_up_and_the_phrase_play(room):
    room.start(JamSettings(server="127.0.0.1:9"))
    room.until(Hello, who="brain")
    room.beat()
    room.until(Server, state="lost")
    room.chord(45, 60, 64, 67)
    first = room.until(Note)
    assert first.source == "pickup"
    time.sleep(0.3)
    room.beat()
    room.chord(50, 60, 66, 69)
    assert room.until(Plan).epoch > first.epoch
