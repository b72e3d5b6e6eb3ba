"""What the brain decides, on a made-up clock and with a made-up model."""

from itertools import pairwise

import pytest

from models.music.chords import Chord
from realtime_client.generation_worker import Came, Ended, Job
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
    Note,
    Phrase,
    Plan,
    Server,
)
from realtime_client.settings import JamSettings
from realtime_client.solo import Silence
from realtime_client.soloist import Soloist

MS = 1_000_000
BAR, QUARTER, TEMPO = 3840, 960, 120.0
AM7, D7 = (45, 60, 64, 67), (50, 60, 66, 69)
READY = Server("ready", "plays", ("any", "swing"))


class Rehearsal:
    """A soloist with an rt that only beats time, and a model that plays eighths after `latency_ms`, a note a millisecond."""

    def __init__(self, latency_ms=20.0, server: Server | None = READY, remembered="", **settings):
        self.now_ms, self.latency_ms = 10_000.0, latency_ms
        self.soloist = Soloist(JamSettings(server="here:1", **settings), round(self.now_ms * MS), remembered)
        self.sent, self.jobs = [], []
        self._coming = []
        self._next_beat_ms = self.now_ms
        if server:
            self.tell(server)

    @property
    def ticks(self):
        return self.ticks_at(self.now_ms)

    def ticks_at(self, at_ms):
        return round((at_ms - 10_000) * TEMPO * QUARTER / 60_000)

    def tell(self, letter):
        self._do(self.soloist.hear(letter, round(self.now_ms * MS)))

    def press(self, *pitches):
        for pitch in pitches:
            self.tell(Heard(round(self.now_ms * MS), (0x90, pitch, 80)))
            self.wait(2)

    def lift(self, *pitches):
        for pitch in pitches:
            self.tell(Heard(round(self.now_ms * MS), (0x80, pitch, 0)))

    def wait(self, ms):
        end = self.now_ms + ms
        while self.now_ms < end:
            self.now_ms += 1
            if self.now_ms >= self._next_beat_ms:
                self.tell(
                    Beat(round(self._next_beat_ms * MS), self.ticks_at(self._next_beat_ms), TEMPO, True, "internal")
                )
                self._next_beat_ms += 500
            while self._coming and self._coming[0][0] <= self.now_ms:
                self.tell(self._coming.pop(0)[1])
            self._do(self.soloist.look(round(self.now_ms * MS)))

    def _do(self, deeds):
        for deed in deeds:
            if isinstance(deed, Job | Silence):
                unheard = [each for _, each in self._coming if isinstance(each, Ended)]
                self._coming.clear()
                for each in unheard:
                    self.tell(Ended(each.job, "superseded"))
            if isinstance(deed, Job):
                self.jobs.append(deed)
                self._play(deed)
            elif not isinstance(deed, Silence):
                self.sent.append((self.now_ms, deed))

    def _play(self, job):
        due, sent_ns = self.now_ms + self.latency_ms, round(self.now_ms * MS)
        places = range(job.start_ticks, job.until_ticks, 480)
        for number, place in enumerate(places if job.aloud else ()):
            self._coming.append((due + number, Came(job, (72, 90, place, 240))))
        done = round((due + len(places)) * MS)
        self._coming.append((due + len(places), Ended(job, "whole", sent_ns, round(due * MS), done, len(places))))

    def of(self, *kinds):
        return [each for _, each in self.sent if isinstance(each, kinds)]

    def times(self, kind):
        return [(at, each) for at, each in self.sent if isinstance(each, kind)]


@pytest.fixture
def room():
    room = Rehearsal()
    room.wait(1000)
    return room


def test_a_chord_in_silence_is_answered_at_once_by_the_models_first_note(room):
    began = room.now_ms
    room.press(*AM7)
    room.wait(100)
    at_ms, note = room.times(Note)[0]
    assert note.at_once
    assert note.source == "model"
    assert at_ms - began < 45
    assert not any(each.at_once for each in room.of(Note)[1:])
    assert [each.symbol for each in room.of(Harmony) if each.settled] == ["Am7"]


def test_a_slow_model_is_preceded_by_a_tone_of_the_chord():
    room = Rehearsal(latency_ms=150)
    room.wait(1000)
    began = room.now_ms
    room.press(*AM7)
    room.wait(400)
    (at_ms, first), (_, second) = room.times(Note)[:2]
    assert (first.source, first.at_once, at_ms - began) == ("pickup", True, pytest.approx(35, abs=2))
    assert first.pitch % 12 in Chord.parse("Am7").pitch_classes
    assert second.source == "model"


def test_once_playing_the_solo_stays_ahead_of_the_beat(room):
    room.press(*AM7)
    room.wait(2000)
    for _ in range(100):
        room.wait(100)
        known = room.of(Known)[-1].until_ticks
        assert known - room.ticks > 1.3 * BAR


def test_notes_of_one_plan_follow_one_another_without_a_gap(room):
    room.press(*AM7)
    room.wait(10_000)
    onsets = [each.onset_ticks for each in room.of(Note) if each.epoch == room.of(Note)[-1].epoch]
    assert len(onsets) > 40
    assert {b - a for a, b in pairwise(onsets)} <= {480, *range(240, 480, 40)}


def test_another_chord_changes_the_solo_from_the_commit_horizon_on(room):
    room.press(*AM7)
    room.wait(3000)
    room.lift(*AM7)
    struck = room.ticks
    room.press(*D7)
    room.wait(200)
    plan = room.of(Plan)[-1]
    assert 240 <= plan.from_ticks - struck < 480
    assert [str(chord) for _, chord in room.jobs[-1].cue.chords] == ["Am7", "D7"]
    assert all(each.onset_ticks < plan.from_ticks for each in room.of(Note) if each.epoch < plan.epoch - 3)


def test_what_the_model_is_told_begins_as_before(room):
    room.press(*AM7)
    room.wait(2000)
    room.lift(*AM7)
    room.press(*D7)
    room.wait(4000)
    cues = [job.cue for job in room.jobs if job.aloud]
    for before, after in zip(cues[-4:], cues[-3:], strict=False):
        assert after.primer[: len(before.primer)] == before.primer
        assert after.chords[: len(before.chords)] == before.chords


def test_a_note_that_comes_for_an_older_plan_is_dropped(room):
    room.press(*AM7)
    room.wait(1000)
    old = room.jobs[-1]
    room.lift(*AM7)
    room.press(*D7)
    room.wait(100)
    before = len(room.of(Note))
    room.tell(Came(old, (1, 1, old.start_ticks, 40)))
    assert all(each.pitch != 1 for each in room.of(Note)[before:])


def test_without_a_server_the_fallback_goes_out_with_every_chord():
    room = Rehearsal(server=None)
    room.wait(1000)
    room.press(*AM7)
    room.wait(1000)
    room.lift(*AM7)
    room.press(*D7)
    room.wait(1000)
    assert not room.jobs
    assert len(room.of(Phrase)) >= 2
    assert {note[0] % 12 for note in room.of(Phrase)[-1].notes[:1]} <= set(Chord.parse("D7").pitch_classes)
    assert room.of(Note)[0].source == "pickup"


def test_when_nobody_plays_the_soloist_rests_and_the_next_chord_is_answered_at_once():
    room = Rehearsal(rest_after_bars=2)
    room.wait(1000)
    room.press(*AM7)
    room.lift(*AM7)
    room.wait(9000)
    assert room.of(Known)[-1].until_ticks == FOREVER_TICKS
    notes = len(room.of(Note))
    room.wait(6000)
    assert len(room.of(Note)) == notes
    assert not room.jobs[-1].aloud, "the server reads along"
    room.press(*AM7)
    room.wait(100)
    assert room.of(Note)[notes].at_once


def test_a_chord_that_is_held_does_not_grow_old():
    room = Rehearsal(rest_after_bars=2)
    room.wait(1000)
    room.press(*AM7)
    room.wait(15_000)
    assert room.of(Known)[-1].until_ticks < FOREVER_TICKS


def test_stop_rests_until_start(room):
    room.press(*AM7)
    room.wait(1000)
    room.tell(Control("stop"))
    notes = len(room.of(Note))
    room.lift(*AM7)
    room.press(*D7)
    room.wait(1000)
    assert len(room.of(Note)) == notes
    room.tell(Control("start"))
    room.lift(*D7)
    room.press(*AM7)
    room.wait(1000)
    assert len(room.of(Note)) > notes


def test_knobs_change_what_is_asked_for(room):
    room.press(*AM7)
    room.wait(1000)
    for name, value in (("style", "swing"), ("temperature", 9.0), ("chord_bias", 0.5)):
        room.tell(Control(name, value))
    room.wait(500)
    cue = room.jobs[-1].cue
    assert (cue.style, cue.temperature, cue.chord_bias) == (1, 4.0, 0.5)


def test_a_server_that_is_lost_and_comes_back_is_asked_again_at_once(room):
    room.press(*AM7)
    room.wait(2000)
    room.tell(Server("lost", "died"))
    asked = len(room.jobs)
    room.wait(5000)
    assert len(room.jobs) == asked
    room.tell(READY)
    room.wait(500)
    assert len(room.jobs) > asked
    assert room.of(Known)[-1].until_ticks > room.ticks + BAR
    assert {each.what for each in room.of(Happened)} == {"lost", "reconnected"}


def test_a_brain_that_was_killed_goes_on_with_the_chord_that_held(room):
    room.press(*AM7)
    room.tell(Control("temperature", 0.5))
    room.wait(1000)
    heir = Rehearsal(remembered=room.soloist.memory)
    heir.wait(1500)
    assert heir.of(Note)
    assert heir.jobs[-1].cue.temperature == 0.5
    assert str(heir.jobs[-1].cue.chords[-1][1]) == "Am7"


def test_a_new_brains_epochs_are_above_the_old_ones(room):
    room.press(*AM7)
    room.wait(5000)
    assert Soloist(JamSettings(), round(room.now_ms * MS)).epoch > room.soloist.epoch


def test_when_rt_begins_anew_it_is_told_everything_and_the_solo_begins_at_its_new_place(room):
    room.press(*AM7)
    room.wait(8000)
    room.sent.clear()
    room.tell(Hello("rt"))
    room.tell(Beat(round(room.now_ms * MS), 0, TEMPO, True, "internal"))
    assert {type(each) for _, each in room.sent} >= {Phrase, Server, Harmony, Plan}
    assert room.of(Plan)[-1].from_ticks < QUARTER


def test_a_song_that_jumps_ahead_is_followed(room):
    room.press(*AM7)
    room.wait(4000)
    epoch = room.soloist.epoch
    room.tell(Beat(round(room.now_ms * MS), room.ticks + 20 * BAR, TEMPO, True, "midi"))
    assert room.soloist.epoch > epoch
    assert room.jobs[-1].start_ticks > room.ticks + 20 * BAR


def test_every_request_is_told(room):
    room.press(*AM7)
    room.wait(3000)
    aloud = [job for job in room.jobs if job.aloud]
    assert len(room.of(Asked)) >= len(aloud) - 1
    first = room.of(Asked)[-1]
    assert first.sent_ns < first.first_note_ns <= first.done_ns


def test_hours_of_playing_stay_within_what_a_request_may_hold(room):
    chords = (AM7, D7)
    for number in range(400):
        room.press(*chords[number % 2])
        room.wait(1000)
        room.lift(*chords[number % 2])
        room.wait(1000)
    cue = room.jobs[-1].cue
    assert room.ticks > 180 * BAR
    assert cue.start_ticks < 90 * BAR
    assert len(cue.primer) < 2048
    assert len(cue.chords) < 1024
    assert (room.jobs[-1].start_ticks - cue.start_ticks) % (4 * BAR) == 0
