"""The worker's thread, with a server that does what a test wants."""

import queue
import threading
import time

import numpy as np
import pytest

from models.music.chords import Chord
from models.music.errors import TooLate, Unavailable
from realtime_client.generation_worker import Came, Ended, GenerationWorker, Job
from realtime_client.messages import Server
from serving.asker import Parts, Reply
from serving.contracts.jam import JAM, Cue

CHORDS = ((0, Chord.parse("Am7")),)
EVER_S = 5.0


class Scripted(Parts):
    """Notes from a list, one every so often; a string waits or raises."""

    def __init__(self, notes, deadline_s, every_s):
        self._notes, self._deadline_s, self._every_s = iter(notes), deadline_s, every_s
        self.closed = threading.Event()

    def __next__(self):
        if self.closed.wait(self._every_s):
            raise StopIteration
        note = next(self._notes)
        if note == "hang":
            if self.closed.wait(self._deadline_s):
                raise StopIteration
            raise TooLate("here: no answer")
        if note == "die":
            raise Unavailable("here: died")
        return Reply({"note": np.array([note], np.int32)}, 1)

    def close(self):
        self.closed.set()


class Servant:
    """An asker whose sessions play what `answers` says next; without one they play eighths."""

    def __init__(self, *answers, every_s=0.001):
        self.answers, self.every_s = list(answers), every_s
        self.canaries, self.asked, self.sessions = 0, [], 0
        self.refusing = 0

    def __call__(self):
        return self

    def session(self, contract, deadline_s=None, version=None):
        self.sessions += 1
        if self.refusing:
            self.refusing -= 1
            raise Unavailable("here: nobody answers")
        return self

    def ask(self, arrays, deadline_s=None):
        JAM.check(arrays)
        start, horizon = int(arrays["start_ticks"][0]), int(arrays["horizon_ticks"][0])
        if "primer" not in arrays:
            self.canaries += 1
            return Scripted(
                self.answers.pop(0) if self.answers and self.answers[0] == ["hang"] else [(60, 90, 0, 240)],
                deadline_s,
                0,
            )
        self.asked.append((start, deadline_s))
        eighths = [(72, 90, place, 240) for place in range(start, start + horizon, 480)]
        return Scripted(self.answers.pop(0) if self.answers else eighths, deadline_s, self.every_s)

    def stop(self):
        pass

    def close(self):
        pass


class Listening:
    """What a worker told."""

    def __init__(self, servant):
        self.told, self._queue = [], queue.SimpleQueue()
        self.worker = GenerationWorker(servant, self._queue.put, lambda asker: ("any",))

    def until(self, kind, **fields):
        """Wait for something of this kind and these values."""
        end = time.monotonic() + EVER_S
        while True:
            told = self._queue.get(timeout=max(0.01, end - time.monotonic()))
            self.told.append(told)
            if isinstance(told, kind) and all(getattr(told, name) == value for name, value in fields.items()):
                return told


@pytest.fixture
def listen():
    opened = []

    def open_one(servant):
        opened.append(Listening(servant))
        return opened[-1]

    yield open_one
    for each in opened:
        each.worker.close()


def job(epoch=1, start=0, shift=0, bars=1):
    return Job(epoch, Cue(start, bars * 3840, CHORDS), start + shift)


def test_a_job_is_answered_note_by_note_at_rts_places(listen):
    there = listen(Servant())
    there.until(Server, state="ready", styles=("any",))
    there.worker.ask(job(shift=38_400))
    ended = there.until(Ended)
    notes = [told.note for told in there.told if isinstance(told, Came)]
    assert [note[2] for note in notes] == list(range(38_400, 38_400 + 3840, 480))
    assert (ended.outcome, ended.notes) == ("whole", 8)
    assert 0 < ended.sent_ns < ended.first_note_ns < ended.done_ns


def test_nobody_is_asked_for_a_solo_before_the_canary_was_heard(listen):
    servant = Servant()
    there = listen(servant)
    there.worker.ask(job())
    there.until(Ended, outcome="whole")
    states = [told.state for told in there.told if isinstance(told, Server)]
    assert states == ["connecting", "canary", "ready"]
    assert servant.canaries == 1


def test_the_latest_job_wins_within_a_note(listen):
    there = listen(Servant(every_s=0.05))
    there.until(Server, state="ready")
    there.worker.ask(job(1, bars=8))
    there.until(Came)
    began = time.monotonic()
    there.worker.ask(job(2, start=480))
    assert there.until(Came, job=job(2, start=480)).note[2] == 480
    assert time.monotonic() - began < 0.5
    assert [told.outcome for told in there.told if isinstance(told, Ended)] == ["superseded"]


def test_a_job_that_never_began_is_told_as_well(listen):
    servant = Servant(every_s=0.2)
    servant.refusing = 1
    there = listen(servant)
    there.worker.ask(job(1))
    there.worker.ask(job(2))
    ended = there.until(Ended)
    assert (ended.job.epoch, ended.outcome, ended.sent_ns) == (1, "superseded", 0)


def test_a_server_that_says_nothing_is_given_up_in_time_and_asked_again_after_its_canary(listen):
    servant = Servant([(60, 90, 0, 240)], ["hang"])
    there = listen(servant)
    there.until(Server, state="ready")
    there.worker.ask(job(1))
    there.until(Ended, outcome="whole")
    began = time.monotonic()
    there.worker.ask(job(2))
    there.until(Ended, outcome="late")
    assert time.monotonic() - began < 0.6
    there.until(Server, state="lost")
    there.until(Server, state="ready")
    assert servant.canaries == 2
    there.worker.ask(job(3))
    there.until(Ended, outcome="whole")


@pytest.mark.parametrize(
    "note",
    [
        (200, 90, 0, 240),
        (60, 0, 0, 240),
        (60, 90, 0, 0),
        (60, 90, 0, 10**6),
        (60, 90, 99_999, 240),
        (60, 90, -480, 240),
    ],
)
def test_garbage_is_not_passed_on_and_its_server_left_for_a_while(listen, note):
    there = listen(Servant([(60, 90, 0, 240), note]))
    there.until(Server, state="ready")
    there.worker.ask(job())
    there.until(Ended, outcome="garbage")
    assert [told.note for told in there.told if isinstance(told, Came)] == [(60, 90, 0, 240)]
    began = time.monotonic()
    there.until(Server, state="ready")
    assert time.monotonic() - began > 1.5


def test_notes_out_of_order_or_too_many_are_garbage(listen):
    there = listen(Servant([(60, 90, 480, 240), (60, 90, 0, 240)], [(60, 90, 0, 240)] * 30))
    for number in range(2):
        there.until(Server, state="ready")
        there.worker.ask(job(number))
        there.until(Ended, outcome="garbage")


def test_a_server_that_dies_is_asked_again_until_it_is_back(listen):
    servant = Servant(["die"])
    there = listen(servant)
    there.until(Server, state="ready")
    servant.refusing = 3
    there.worker.ask(job())
    there.until(Ended, outcome="unavailable")
    there.until(Server, state="ready")
    assert servant.sessions == 5
    there.worker.ask(job(2))
    there.until(Ended, outcome="whole")


def test_a_canary_that_hangs_is_no_reason_to_trust(listen):
    servant = Servant(["hang"])
    there = listen(servant)
    there.until(Server, state="lost")
    there.until(Server, state="ready")
    assert servant.canaries == 2


def test_closing_ends_what_is_being_played_at_once(listen):
    there = listen(Servant(every_s=0.05))
    there.until(Server, state="ready")
    there.worker.ask(job(bars=60))
    there.until(Came)
    began = time.monotonic()
    there.worker.close()
    assert time.monotonic() - began < 0.5
