"""Chords heard under human hands."""

import pytest

from realtime_client.chord_collector import STAYS_NS, STILL_NS, ChordCollector
from realtime_client.messages import Heard
from realtime_client.midi_bytes import CONTROL_CHANGE, NOTE_OFF, NOTE_ON, PEDAL
from realtime_client.player import performance

MS = 1_000_000
AM7, D7 = (45, 60, 64, 67), (50, 60, 66, 69)


class Hand:
    """Plays on a collector, which is looked after whenever it asks for it."""

    def __init__(self):
        self.collector = ChordCollector()
        self.heard = []

    def send(self, at_ms, *data):
        self.wait(at_ms)
        self._keep(at_ms, self.collector.hear(Heard(round(at_ms * MS), data)))

    def press(self, at_ms, *pitches, apart_ms=3.0):
        for number, pitch in enumerate(pitches):
            self.send(at_ms + number * apart_ms, NOTE_ON, pitch, 80)

    def lift(self, at_ms, *pitches):
        for pitch in pitches:
            self.send(at_ms, NOTE_OFF, pitch, 0)

    def wait(self, until_ms):
        while 0 < (due := self.collector.next_look_ns) <= until_ms * MS:
            self._keep(due / MS, self.collector.look(due))

    def _keep(self, at_ms, heard):
        if heard:
            self.heard.append((at_ms, heard))

    @property
    def settled(self):
        return [(at, str(heard.chord)) for at, heard in self.heard if heard.settled]


@pytest.fixture
def hand():
    return Hand()


def test_the_first_note_after_silence_is_a_guess_at_once(hand):
    hand.press(100, *AM7)
    at_ms, guess = hand.heard[0]
    assert (at_ms, guess.settled, guess.chord.root, guess.first_note_ns) == (100, False, 9, 100 * MS)


def test_a_chord_is_settled_as_soon_as_the_hands_are_still(hand):
    hand.press(100, *AM7)
    hand.wait(200)
    assert hand.settled == [(pytest.approx(109 + STILL_NS / MS), "Am7")]


def test_a_rolled_chord_is_one(hand):
    hand.press(100, *AM7, apart_ms=45)
    hand.wait(400)
    assert hand.settled[-1][1] == "Am7"
    assert hand.heard[-1][1].first_note_ns == 100 * MS


def test_a_melody_note_does_not_change_the_chord(hand):
    hand.press(100, *AM7)
    for at_ms, pitch in ((600, 81), (850, 83), (1100, 86)):
        hand.press(at_ms, pitch)
        hand.lift(at_ms + 120, pitch)
    hand.wait(2000)
    assert [name for _, name in hand.settled] == ["Am7"]


def test_a_chord_holds_when_the_hands_have_left(hand):
    hand.press(100, *AM7)
    hand.lift(400, *AM7)
    hand.wait(5000)
    assert str(hand.collector.latched) == "Am7"
    assert not hand.collector.is_held


def test_keys_that_leave_late_are_not_part_of_the_next_chord(hand):
    hand.press(100, *AM7)
    hand.press(1000, *D7)
    hand.lift(1060, *AM7)
    hand.wait(2000)
    assert [name for _, name in hand.settled] == ["Am7", "D7"]


def test_a_pedal_that_is_lifted_late_does_not_blur_the_next_chord(hand):
    hand.press(100, *AM7)
    hand.send(160, CONTROL_CHANGE, PEDAL, 127)
    hand.lift(300, *AM7)
    hand.press(1000, *D7)
    hand.send(1070, CONTROL_CHANGE, PEDAL, 0)
    hand.wait(2000)
    assert [name for _, name in hand.settled] == ["Am7", "D7"]


def test_what_the_pedal_holds_counts(hand):
    hand.send(50, CONTROL_CHANGE, PEDAL, 127)
    hand.press(100, 45)
    hand.lift(200, 45)
    hand.press(600, 60, 64)
    hand.wait(1000)
    assert hand.settled[-1][1] == "Am"
    hand.lift(1000, 60, 64)
    assert hand.collector.is_held
    hand.send(1100, CONTROL_CHANGE, PEDAL, 0)
    assert not hand.collector.is_held


def test_a_bass_below_a_triad_names_the_chord(hand):
    hand.press(100, 50)
    hand.wait(100 + 2 * STAYS_NS / MS)
    hand.press(1000, 65, 69, 72)
    hand.wait(1500)
    assert hand.settled[-1][1] == "Dm7"


def test_the_same_chord_again_is_nothing_new(hand):
    hand.press(100, *AM7)
    hand.lift(500, *AM7)
    hand.press(1000, *AM7)
    hand.wait(2000)
    assert len(hand.settled) == 1


def test_after_it_was_forgotten_the_same_chord_is_heard_again(hand):
    hand.press(100, *AM7)
    hand.wait(500)
    hand.collector.forget()
    hand.press(1000, *AM7)
    hand.wait(1500)
    assert [name for _, name in hand.settled] == ["Am7", "Am7"]


def test_a_progression_that_comes_again_is_guessed_before_its_last_note(hand):
    for at_ms in (100, 2100, 4100):
        hand.press(at_ms, *AM7)
        hand.lift(at_ms + 900, *AM7)
        hand.press(at_ms + 1000, *D7)
        hand.lift(at_ms + 1900, *D7)
    hand.wait(7000)
    guesses = [(at, str(heard.chord)) for at, heard in hand.heard if not heard.settled and at > 4000]
    assert guesses[0] == (pytest.approx(4106), "Am7")


def named_right(seed):
    """How many chords were known by their name 100 ms after they were meant, how many were meant, and how many were not."""
    played, hand = performance(seed, 60), Hand()
    marks, right = [(at_s * 1000 + 100, chord) for at_s, chord in played.changes], 0
    for at_s, data in played.events:
        while marks and marks[0][0] < at_s * 1000:
            due_ms, chord = marks.pop(0)
            hand.wait(due_ms)
            right += hand.collector.latched == chord
        hand.send(at_s * 1000, *data)
    meant = {chord for _, chord in played.changes}
    return right, len(played.changes), sum(heard.chord not in meant for _, heard in hand.heard if heard.settled)


def test_of_human_chords_with_pedal_and_wrong_notes_most_are_named_right_in_time():
    right, total, strangers = (sum(each) for each in zip(*map(named_right, range(20)), strict=True))
    assert total > 300
    assert right / total > 0.95
    assert strangers / total < 0.02
