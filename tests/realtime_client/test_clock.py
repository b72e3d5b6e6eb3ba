"""Where the music is, whoever gives the beat."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_client.clock import Clock, Timeline
from realtime_client.conductor import CONTINUE, PULSE, SONG_POSITION, START, STOP, Conductor
from realtime_client.fl_studio.beacons import Beacon
from realtime_client.phase_lock import PhaseLock

MS = 1_000_000
PULSE_NS = 60_000 * MS / 120 / 24
BAR = 3840


class Session:
    """A clock, its conductor, and a DAW that says things at moments."""

    def __init__(self, follows: str = "midi") -> None:
        self.now_ns = 0.0
        self.told: list[str] = []
        self.clock = Clock(0, 120, 4)
        self.conductor = Conductor(self.clock, follows, lambda what, text: self.told.append(what))

    @property
    def place(self) -> float:
        return self.clock.place(round(self.now_ns))

    def wait(self, ms: float) -> None:
        self.now_ns += ms * MS
        self.conductor.look(round(self.now_ns))

    def say(self, *data: int) -> None:
        self.conductor.hear(data, round(self.now_ns))

    def pulse(self, count: int, bpm: float = 120) -> None:
        """Send pulses, the first one now; it is the place of what was said just before."""
        for _ in range(count):
            self.say(PULSE)
            self.wait(60_000 / bpm / 24)


def test_a_place_and_its_moment_are_two_sides_of_one_thing():
    timeline = Timeline(5_000, 100.0, 137.0)
    assert timeline.ticks_at(timeline.ns_at(4711.0)) == pytest.approx(4711.0, abs=1e-5)


def test_a_beat_a_bar_ahead_is_told_to_within_a_millisecond_though_pulses_come_unevenly():
    draw = random.Random(5)
    lock, errors = PhaseLock(), []
    for n in range(24 * 4 * 60):
        noise = draw.uniform(15, 60) if draw.random() < 0.02 else draw.gauss(0, 1)
        lock.hear(round(1e9 + n * PULSE_NS + noise * MS))
        if n > 24 * 16:
            errors.append(abs(lock.at_ns + 96 * lock.period_ns - (1e9 + (n + 96) * PULSE_NS)) / MS)
    errors.sort()
    assert errors[len(errors) // 2] < 0.5
    assert errors[len(errors) * 99 // 100] < 2.5


def test_another_tempo_is_followed_within_a_beat():
    session = Session()
    session.say(START)
    session.pulse(96)
    session.pulse(24, bpm=150)
    assert session.clock.timeline.tempo_bpm == pytest.approx(150, abs=0.5)


def test_a_start_begins_at_a_bar_line_and_goes_on_in_time():
    session = Session()
    session.wait(700)
    session.say(START)
    session.pulse(48)
    assert session.place == pytest.approx(BAR + 48 * 40, abs=2)
    assert session.clock.source == "midi"


def test_a_transport_that_stops_stands_and_goes_on_from_there():
    session = Session()
    session.say(START)
    session.pulse(48)
    session.say(STOP)
    stood = session.place
    session.wait(3000)
    assert session.place == stood
    assert not session.clock.timeline.running
    assert session.told == []
    session.say(CONTINUE)
    session.pulse(24)
    assert session.place == pytest.approx(stood + 24 * 40, abs=2)


def test_a_song_that_jumps_back_makes_us_leap_to_the_same_place_in_a_later_bar():
    session = Session()
    session.say(START)
    session.pulse(24 * 6)
    before = session.place
    session.say(SONG_POSITION, 12, 0)  # the fourth quarter of the first bar
    assert session.place > before
    assert session.place % BAR == pytest.approx(12 * 240, abs=1)
    assert session.told == ["jump"]


def test_a_late_burst_of_pulses_moves_nothing():
    session = Session()
    session.say(START)
    session.pulse(96)
    expected = session.place + 48 * 40
    session.wait(24 * PULSE_NS / MS * 0.9)
    for _ in range(24):
        session.say(PULSE)
    session.wait(24 * PULSE_NS / MS * 0.1)
    session.pulse(24)
    assert session.place == pytest.approx(expected, abs=8)
    assert session.told == []


def test_a_lost_clock_goes_on_alone_and_is_taken_up_again():
    session = Session()
    session.say(START)
    session.pulse(96, bpm=100)
    before = session.place
    for _ in range(30):
        session.wait(100)
    assert session.told == ["clock-lost"]
    assert session.clock.source == "internal"
    assert session.place - before == pytest.approx(3 * 100 / 60 * 960, rel=0.01)
    session.pulse(24, bpm=100)
    assert session.told[:2] == ["clock-lost", "clock-back"]
    assert session.clock.source == "midi"
    assert session.clock.timeline.tempo_bpm == pytest.approx(100, abs=0.5)


def beacon(song_ticks: float, bpm: float = 120.0, playing: bool = True, beats_a_bar: int = 4) -> bytes:
    return Beacon(bpm, playing, False, round(song_ticks), 1, 1, beats_a_bar).written()


def test_beacons_of_fl_studio_give_tempo_place_and_bar():
    session = Session("fl")
    session.wait(700)
    session.say(*beacon(0, bpm=97.5, playing=False, beats_a_bar=3))
    assert not session.clock.timeline.running
    session.wait(500)
    late = random.Random(3)
    for beat in range(12):  # each is sent when FL comes to it: up to 20 ms late
        session.say(*beacon(beat * 960, bpm=97.5, beats_a_bar=3))
        session.wait(60_000 / 97.5 + late.uniform(-10, 10))
    assert session.clock.timeline.tempo_bpm == 97.5
    assert session.clock.beats_a_bar == 3
    assert session.clock.disagreement(round(session.now_ns), 12 * 960) == pytest.approx(0, abs=40)
    assert session.clock.source == "fl"


def test_where_fl_studio_sends_a_clock_too_its_pulses_give_the_phase():
    session = Session("fl")
    for beat in range(8):
        session.say(*beacon(beat * 960 + 12))
        session.pulse(24)
    assert session.place % 40 == pytest.approx(0, abs=1) or session.place % 40 == pytest.approx(40, abs=1)
    assert session.told in ([], ["jump"])


def test_a_jump_of_fl_studio_is_followed_and_a_long_silence_is_a_lost_clock():
    session = Session("fl")
    session.say(*beacon(0))
    session.wait(500)
    session.say(*beacon(960))
    session.told.clear()
    before = session.place
    session.say(*beacon(2880))
    assert session.told == ["jump"]
    assert session.place - before == pytest.approx(1920, abs=2)
    for _ in range(40):
        session.wait(100)
    assert session.told == ["jump", "clock-lost"]
    session.say(*beacon(0, playing=False))
    assert session.told == ["jump", "clock-lost", "clock-back"]


def test_until_a_clock_comes_the_beat_is_our_own():
    session = Session()
    session.wait(1000)
    assert session.place == pytest.approx(1920)
    assert session.clock.beat(0).source == "internal"


def test_taps_give_tempo_and_beat():
    session = Session("internal")
    for _ in range(4):
        session.wait(400)
        session.conductor.tap(round(session.now_ns))
    assert session.clock.timeline.tempo_bpm == pytest.approx(150)
    assert session.clock.source == "tap"
    assert session.place % 960 == pytest.approx(0, abs=1e-3)


def test_a_tempo_of_our_own_is_refused_while_somebody_else_gives_it():
    session = Session()
    session.say(START)
    session.conductor.set_tempo(0, 90)
    session.conductor.tap(0)
    session.conductor.follow("sundial")
    assert session.told == ["refused"] * 3
    assert session.clock.timeline.tempo_bpm == 120


SAYINGS = st.sampled_from([(PULSE,), tuple(beacon(700)), (0xF0, 0x7D, 0xF7), (PULSE,), (PULSE,), (START,), (STOP,), (CONTINUE,), (SONG_POSITION, 7, 1), (SONG_POSITION,)])  # fmt: skip


@given(st.sampled_from(["midi", "fl"]), st.lists(st.tuples(st.floats(0, 900), SAYINGS), max_size=60))
def test_a_place_never_goes_back_whatever_a_clock_says(follows, steps):
    session, before = Session(follows), 0.0
    for ms, saying in steps:
        session.wait(ms)
        session.say(*saying)
        assert session.place >= before
        before = session.place
