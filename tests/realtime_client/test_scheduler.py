"""When which note sounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime_client.clock import Timeline
from realtime_client.messages import Known, Note, Phrase, Plan
from realtime_client.scheduler import Off, On, Scheduler

MS = 1_000_000
TICK_MS = 500 / 960  # at 120 BPM
BAR = 3840
PHRASE = Phrase(BAR, ((48, 80, 0, 480), (55, 80, 1920, 480)))


class Stand:
    """A scheduler, its time, and what it sent as (ms, "on" or "off", pitch)."""

    def __init__(self, polyphony: int = 4, offset_ms: float = 0) -> None:
        self.scheduler = Scheduler(polyphony, lambda ticks: int(ticks // BAR) * BAR, round(offset_ms * MS))
        self.timeline = Timeline(0, 0.0, 120.0)
        self.now_ns = 0
        self.sent: list[tuple[int, str, int]] = []
        self.notes: list[On] = []

    def plan(self, epoch: int, from_ticks: int = 0) -> None:
        self.scheduler.plan(Plan(epoch, from_ticks), self.now_ns, self.timeline)

    def add(self, *notes: Note) -> None:
        for note in notes:
            self.scheduler.add(note, self.now_ns, self.timeline)

    def know(self, epoch: int, until_ticks: int) -> None:
        self.scheduler.know(Known(epoch, until_ticks))

    def play(self, until_ms: float) -> None:
        """Wake exactly when something is due, until then."""
        end_ns = round(until_ms * MS)
        while (next_ns := self.scheduler.next_ns(self.timeline)) <= end_ns:
            self.now_ns = max(self.now_ns + 1000, next_ns)
            self._take()
        self.now_ns = end_ns
        self._take()

    def stall(self, until_ms: float) -> None:
        self.now_ns = round(until_ms * MS)

    def _take(self) -> None:
        for one in self.scheduler.due(self.now_ns, self.timeline):
            ms = round(self.now_ns / MS)
            if isinstance(one, On):
                self.notes.append(one)
                self.sent.append((ms, "on", one.note.pitch))
            else:
                self.sent.append((ms, "off", one.pitch))


def note(epoch, pitch, onset, duration=480, **more):
    return Note(epoch, pitch, 90, onset, duration, **more)


def test_a_note_sounds_at_its_place_for_its_length():
    stand = Stand()
    stand.plan(1)
    stand.add(note(1, 60, 960, 480))
    stand.play(1000)
    assert stand.sent == [(500, "on", 60), (750, "off", 60)]


def test_an_offset_moves_what_is_heard():
    stand = Stand(offset_ms=40)
    stand.plan(1)
    stand.add(note(1, 60, 960, 480))
    stand.play(1000)
    assert stand.sent == [(540, "on", 60), (790, "off", 60)]


def test_a_new_plan_takes_back_what_is_not_about_to_be_played():
    stand = Stand()
    stand.plan(1)
    stand.add(note(1, 60, 960), note(1, 62, 1000), note(1, 64, 1920))
    stand.play(490)
    stand.plan(2, from_ticks=0)
    stand.know(2, 3840)
    stand.play(2000)
    assert [pitch for _, what, pitch in stand.sent if what == "on"] == [60]


def test_what_an_older_plan_had_is_played_until_the_new_one_is_known_so_far():
    stand = Stand()
    stand.plan(1)
    stand.add(*(note(1, 60 + n, 960 * n) for n in range(1, 5)))
    stand.know(1, 4800)
    stand.plan(2, from_ticks=960)
    assert stand.scheduler.known_ticks == 4800
    stand.add(note(2, 72, 960), note(2, 74, 2000))
    stand.play(3000)
    assert [pitch for _, what, pitch in stand.sent if what == "on"] == [72, 74, 63, 64]


def test_an_older_plan_in_reserve_is_gone_when_the_new_one_rests():
    stand = Stand()
    stand.plan(1)
    stand.add(note(1, 60, 1920))
    stand.plan(2, from_ticks=960)
    stand.know(2, 2**40)
    stand.play(3000)
    assert stand.sent == []


def test_what_sounds_ends_where_a_new_plan_begins():
    stand = Stand()
    stand.plan(1)
    stand.add(note(1, 60, 0, 9600))
    stand.play(100)
    stand.plan(2, from_ticks=960)
    stand.play(2000)
    assert stand.sent == [(0, "on", 60), (500, "off", 60)]


def test_a_note_of_a_plan_that_is_over_is_counted_and_not_played():
    stand = Stand()
    stand.plan(2)
    stand.add(note(1, 60, 960))
    stand.plan(1, from_ticks=0)
    stand.play(1000)
    assert stand.sent == []
    assert stand.scheduler.counts.stale == 1


def test_a_note_whose_plan_was_lost_brings_it_along():
    stand = Stand()
    stand.plan(1)
    stand.add(note(1, 60, 1920))
    stand.add(note(2, 67, 960))
    stand.know(2, 3840)
    stand.play(2000)
    assert [pitch for _, what, pitch in stand.sent if what == "on"] == [67]


def test_a_note_that_is_a_little_late_is_played_and_a_later_one_dropped_whole():
    stand = Stand()
    stand.plan(1)
    stand.stall(500 + 29)
    stand.add(note(1, 60, 960))
    stand.add(note(1, 62, 960 - 10))
    stand.play(1000)
    assert stand.sent == [(529, "on", 60), (750, "off", 60)]
    assert (stand.scheduler.counts.late, stand.scheduler.counts.dropped) == (1, 1)


def test_a_note_at_once_is_played_when_it_comes_and_belongs_to_the_nearest_thirtysecond():
    stand = Stand()
    stand.stall(300)  # tick 576
    stand.plan(1, 576)
    stand.add(note(1, 60, 0, 240, at_once=True))
    stand.play(1000)
    assert stand.sent == [(300, "on", 60), (round(840 * TICK_MS), "off", 60)]
    assert stand.notes[0].note.onset_ticks == 600
    assert stand.scheduler.counts.late == 0


def test_the_oldest_note_makes_room():
    stand = Stand(polyphony=2)
    stand.plan(1)
    stand.add(*(note(1, pitch, n * 240, 1920) for n, pitch in enumerate((60, 64, 67))))
    stand.play(250)
    assert stand.sent == [(0, "on", 60), (125, "on", 64), (250, "off", 60), (250, "on", 67)]


def test_a_repeated_pitch_ends_before_it_begins_again():
    stand = Stand()
    stand.plan(1)
    stand.add(note(1, 60, 0, 960), note(1, 60, 480, 960))
    stand.play(2000)
    assert [(what, pitch) for _, what, pitch in stand.sent] == [("on", 60), ("off", 60)] * 2
    assert stand.sent[-1][0] == 750


def test_where_the_solo_is_known_no_further_the_phrase_goes_on_from_its_place_in_the_bar():
    stand = Stand()
    stand.scheduler.fall_back_on(PHRASE)
    stand.plan(1)
    stand.add(note(1, 60, 0, 480))
    stand.know(1, 1920)
    stand.play(3500)
    assert stand.sent[2:] == [(1000, "on", 55), (1250, "off", 55), (2000, "on", 48), (2250, "off", 48), (3000, "on", 55), (3250, "off", 55)]  # fmt: skip
    assert stand.scheduler.counts.underruns == 1
    assert {on.note.source for on in stand.notes[1:]} == {"fallback"}


def test_a_newer_plan_ends_the_fallback_where_it_begins():
    stand = Stand()
    stand.scheduler.fall_back_on(Phrase(BAR, ((48, 80, 0, BAR),)))
    stand.plan(1)
    stand.know(1, 3840)
    stand.play(2500)
    assert stand.scheduler.falling_back
    stand.plan(2, from_ticks=5760)
    stand.add(note(2, 72, 5760))
    stand.play(2999)
    assert stand.sent == [(2000, "on", 48)]
    stand.play(3100)
    assert stand.sent[1:] == [(3000, "off", 48), (3000, "on", 72)]
    assert not stand.scheduler.falling_back or stand.scheduler.known_ticks == 5760


def test_a_new_plan_is_waited_for_before_the_fallback_begins():
    stand = Stand()
    stand.scheduler.fall_back_on(Phrase(960, ((48, 80, 0, 480), (50, 80, 480, 240))))
    stand.stall(10)
    stand.plan(1, from_ticks=19)
    stand.play(105)
    assert not stand.scheduler.falling_back
    stand.play(600)
    assert stand.sent == [(250, "on", 50), (375, "off", 50), (500, "on", 48)]


def test_before_there_is_a_plan_and_after_a_panic_nothing_sounds():
    stand = Stand()
    stand.scheduler.fall_back_on(PHRASE)
    stand.play(3000)
    assert stand.sent == []
    stand.plan(1, 5760)
    stand.add(note(1, 60, 5760, 9600))
    stand.play(3100)
    assert stand.scheduler.forget() == [Off(60)]
    stand.add(note(1, 62, 6720))
    stand.know(1, 9600)
    stand.play(9000)
    assert stand.sent == [(3000, "on", 60)]


def test_another_tempo_moves_what_waits_and_ends_what_sounds_in_time():
    stand = Stand()
    stand.plan(1)
    stand.add(note(1, 60, 0, 960), note(1, 62, 1920))
    stand.play(250)  # tick 480
    stand.timeline = Timeline(stand.now_ns, 480, 240)
    stand.play(1000)
    assert stand.sent == [(0, "on", 60), (375, "off", 60), (625, "on", 62), (750, "off", 62)]


def test_while_the_music_stands_nothing_is_due():
    stand = Stand()
    stand.plan(1)
    stand.add(note(1, 60, 0))
    stand.timeline = stand.timeline._replace(running=False)
    stand.play(5000)
    assert stand.sent == []


@pytest.mark.parametrize(
    "wrong",
    [Note(1, 128, 90, 0, 480), Note(1, 60, 0, 0, 480), Note(1, 60, 90, -1, 480), Note(1, 60, 90, 0, 0), Note(1, 60.5, 90, 0, 9)],  # type: ignore[arg-type]
)  # fmt: skip
def test_a_note_that_no_port_could_send_is_dropped(wrong):
    stand = Stand()
    stand.plan(1)
    stand.add(wrong)
    stand.play(100)
    assert stand.sent == []
    assert stand.scheduler.counts.dropped == 1


def test_who_plans_anew_from_the_beginning_is_believed():
    stand = Stand()
    stand.plan(900)
    stand.scheduler.begin_again()
    stand.plan(1)
    stand.add(note(1, 60, 960))
    stand.play(600)
    assert stand.sent == [(500, "on", 60)]


EVENTS = st.one_of(
    st.builds(lambda *a: ("add", *a), st.integers(0, 4), st.integers(58, 62), st.integers(-200, 3000), st.integers(1, 5000), st.booleans()),
    st.builds(lambda *a: ("plan", *a), st.integers(0, 6), st.integers(-500, 3000)),
    st.builds(lambda *a: ("know", *a), st.integers(0, 6), st.integers(0, 5000)),
    st.builds(lambda *a: ("tempo", *a), st.integers(30, 300)),
    st.builds(lambda *a: ("leap", *a), st.integers(1, 6000)),
    st.builds(lambda *a: ("phrase", *a), st.integers(1, 4000)),
    st.sampled_from([("panic",), ("stand",), ("run",), ("anew",)]),
)  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 400), EVENTS), max_size=40), st.integers(1, 4))
def test_every_note_on_gets_its_note_off_whatever_comes(steps, polyphony):
    stand = Stand(polyphony)
    stand.scheduler.fall_back_on(PHRASE)
    at_ms = 0
    for wait_ms, (what, *given_) in steps:
        at_ms += wait_ms
        stand.play(at_ms)
        here = round(stand.timeline.ticks_at(stand.now_ns))
        if what == "add":
            epoch, pitch, ahead, duration, at_once = given_
            stand.add(Note(epoch, pitch, 90, max(0, here + ahead), duration, "model", at_once))
        elif what == "plan":
            stand.plan(given_[0], here + given_[1])
        elif what == "know":
            stand.know(given_[0], here + given_[1])
        elif what == "tempo":
            stand.timeline = Timeline(stand.now_ns, here, given_[0], stand.timeline.running)
        elif what == "leap":
            stand.timeline = stand.timeline._replace(ticks=stand.timeline.ticks + given_[0])
        elif what == "phrase":
            stand.scheduler.fall_back_on(Phrase(given_[0], ((60, 80, 0, given_[0]), (61, 80, given_[0] // 2, 99))))
        elif what == "anew":
            stand.scheduler.begin_again()
        elif what == "panic":
            stand.sent += [(at_ms, "off", off.pitch) for off in stand.scheduler.forget()]
        else:
            stand.timeline = Timeline(stand.now_ns, here, stand.timeline.tempo_bpm, what == "run")
        assert stand.scheduler.sounding <= polyphony
    stand.timeline = stand.timeline._replace(running=True, at_ns=stand.now_ns)
    stand.scheduler.fall_back_on(Phrase(0, ()))
    stand.play(at_ms + 60_000)
    sounding: set[int] = set()
    for _, what, pitch in stand.sent:
        assert (pitch in sounding) == (what == "off")
        (sounding.add if what == "on" else sounding.remove)(pitch)
    assert not sounding
