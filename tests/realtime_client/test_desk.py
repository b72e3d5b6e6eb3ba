"""What the session looks like, from its letters alone."""

import json

import pytest

from models.music.errors import BadConfig
from realtime_client.controls import control
from realtime_client.desk import Desk
from realtime_client.messages import Asked, Beat, Control, Happened, Harmony, Heard, Played, Quit, Server, Status
from realtime_client.settings import JamSettings

MS, S, BAR = 1_000_000, 1_000_000_000, 3840


@pytest.fixture
def desk() -> Desk:
    desk = Desk(JamSettings(server="127.0.0.1:8001"))
    desk.take(Beat(10 * S, 2 * BAR, 120.0, True, "internal"))
    return desk


def played(at_ns: int, epoch: int = 1, source: str = "model", onset: int = 2 * BAR) -> Played:
    return Played(at_ns, at_ns, 67, 90, onset, 480, source, epoch)


def status(planned: int, falling_back: bool = False) -> Status:
    return Status(10 * S, 2 * BAR, planned, 0, 0, 3, 1, 0, 2, falling_back, True, True)


def test_the_place_moves_with_the_beat_and_stands_when_it_stops(desk):
    assert desk.place(10 * S) == (3, 1)
    assert desk.place(10 * S + 500 * MS) == (3, 2)
    assert desk.ticks(12 * S) == 3 * BAR
    desk.take(Beat(12 * S, 3 * BAR, 120.0, False, "internal"))
    assert desk.ticks(99 * S) == 3 * BAR


def test_bars_are_counted_from_where_bars_begin():
    desk = Desk(JamSettings(beats_a_bar=3))
    desk.take(Beat(0, 5 * 960, 120.0, False, "midi", 3, 2 * 960))
    assert desk.place(0) == (2, 1)


def test_how_far_ahead_is_counted_in_bars_and_never_below_none(desk):
    desk.take(status(2 * BAR + BAR * 3 // 2))
    assert desk.ahead_bars(10 * S) == 1.5
    assert desk.ahead_bars(14 * S) == 0


def test_a_soloist_that_rests_until_the_next_chord_knows_nothing_ahead(desk):
    desk.take(status(2**40))
    assert desk.ahead_bars(10 * S) == 0
    assert desk.picture(10 * S)["resting"] is True
    assert desk.picture(10 * S)["planned_ticks"] == 0


def test_the_first_note_after_a_chord_into_silence_is_timed_once(desk):
    desk.take(Harmony(10 * S + MS, 10 * S, 2 * BAR, "Am7", False, 1))
    desk.take(Harmony(10 * S + 20 * MS, 10 * S, 2 * BAR, "Am7", True, 1))
    desk.take(played(10 * S + 14 * MS))
    desk.take(played(10 * S + 200 * MS))
    assert desk.first_note() == {"last": 14.0, "p50": 14.0, "count": 1}


def test_neither_an_old_solo_s_note_nor_a_fallback_answers_a_chord(desk):
    desk.take(Harmony(10 * S, 10 * S, 2 * BAR, "Am7", False, 5))
    desk.take(played(10 * S + 5 * MS, epoch=4))
    desk.take(played(10 * S + 6 * MS, epoch=5, source="fallback"))
    desk.take(played(10 * S + 30 * MS, epoch=5, source="pickup"))
    assert desk.first_note()["last"] == 30.0


def test_a_chord_within_a_solo_is_not_timed_since_its_notes_have_places_of_their_own(desk):
    desk.take(played(10 * S))
    desk.take(Harmony(10 * S + 100 * MS, 10 * S + 100 * MS, 2 * BAR, "D7", True, 2))
    desk.take(played(10 * S + 900 * MS, epoch=2))
    assert desk.first_note() == {"count": 0}


def test_what_the_musician_plays_becomes_notes_and_what_is_held_lasts_until_now(desk):
    desk.take(Heard(10 * S, (0x90, 60, 80)))
    desk.take(Heard(10 * S, (0x90, 64, 70)))
    desk.take(Heard(10 * S + 500 * MS, (0x80, 60, 0)))
    desk.take(Heard(10 * S, (0xF8,)))
    picture = desk.picture(11 * S)
    assert picture["player"] == [(60, 80, 2 * BAR, 960), (64, 70, 2 * BAR, 1920)]
    desk.take(Heard(11 * S, (0x90, 64, 0)))
    assert desk.held == {}


def test_settled_chords_are_remembered_once_each(desk):
    for symbol, settled in (("A", False), ("Am7", True), ("Am7", True), ("D7", True)):
        desk.take(Harmony(10 * S, 10 * S, 2 * BAR, symbol, settled, 1))
    assert [symbol for _, symbol in desk.chords] == ["Am7", "D7"]
    assert desk.picture(10 * S)["chord"] == {"symbol": "D7", "settled": True}


def test_knobs_stand_where_they_were_turned_to(desk):
    for turned in (control("temperature", 1.2), control("tempo", 90), control("style", "swing"), control("stop")):
        desk.take(turned)
    picture = desk.picture(10 * S)
    assert picture["controls"]["temperature"] == 1.2
    assert picture["controls"]["tempo_bpm"] == 90
    assert picture["controls"]["style"] == "swing"
    assert picture["playing"] is False
    desk.take(Control("record", "on"))
    assert desk.picture(10 * S)["recording"] is True


def test_everything_that_happens_is_counted(desk):
    desk.take(status(0, falling_back=True))
    desk.take(Asked(1, 0, 0, 0, 0, 0, 0, 8, "whole"))
    desk.take(Happened(0, "brain", "reconnected", "answers again"))
    desk.take(played(10 * S))
    counts = desk.picture(10 * S)["counts"]
    assert (counts["underruns"], counts["late"], counts["dropped"]) == (2, 3, 1)
    assert (counts["asked_whole"], counts["reconnected"], counts["model_notes"]) == (1, 1, 1)


def test_a_picture_is_plain_json_from_the_first_moment_to_the_last():
    desk = Desk(JamSettings())
    assert json.loads(json.dumps(desk.picture(0)))["server"]["state"] == "none"
    desk.take(Server("ready", "plays", ("swing",), 12.5))
    desk.take(Quit())
    assert desk.picture(0)["ended"] is True


def test_an_hour_of_notes_keeps_the_picture_small(desk):
    for number in range(20_000):
        desk.take(played(number, onset=number * 240))
    desk.take(Beat(10 * S, 20_000 * 240, 120.0, True, "internal"))
    assert len(desk.picture(10 * S)["solo"]) < 100
    assert len(json.dumps(desk.picture(10 * S))) < 8_000


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("temperature", 9, "temperature is 9; give 0 to 4."),
        ("temperature", "hot", "temperature is 'hot'; give a number from 0 to 4."),
        ("temperature", True, "give a number"),
        ("tempo", float("nan"), "give a number from 30 to 300."),
        ("clock", "sundial", "clock is 'sundial'; give one of internal, midi, fl."),
        ("fl", "explode", "give one of start, stop, record."),
        ("style", "a" * 65, "give a style's name"),
        ("style", "a\n", "give a style's name"),
        ("volume", 1, "'volume' is no control; there are start, stop, panic"),
    ],
)
def test_what_cannot_be_turned_so_is_refused_in_a_sentence(name, value, sentence):
    with pytest.raises(BadConfig, match=sentence.replace(".", r"\.")):
        control(name, value)
