"""What is played when no model answers."""

import pytest

from models.music.chords import EVERY, Chord
from realtime_client.fallback import HIGHEST, LOWEST, fallback_phrase, pickup_pitch


@pytest.mark.parametrize("chord", EVERY[:16], ids=str)
@pytest.mark.parametrize("beats", [3, 4])
def test_a_phrase_is_two_bars_of_one_voice_with_chord_tones_on_the_beats_and_room_to_breathe(chord, beats):
    for seed in range(8):
        length, notes = fallback_phrase(chord, beats, 120, seed)
        assert length == 2 * beats * 960
        ends = [onset + duration for _, _, onset, duration in notes]
        assert all(end <= note[2] for end, note in zip(ends, notes[1:], strict=False))
        assert all(note[0] % 12 in chord.pitch_classes for note in notes if note[2] % 960 == 0)
        assert all(LOWEST - 2 <= pitch <= HIGHEST + 2 and 1 <= velocity <= 127 for pitch, velocity, _, _ in notes)
        assert notes[0][2] == 0
        assert length - ends[-1] >= 900


def test_the_same_seed_plays_the_same_and_another_plays_another():
    chord = Chord.parse("G7")
    assert fallback_phrase(chord, 4, 120, 1) == fallback_phrase(chord, 4, 120, 1)
    assert len({fallback_phrase(chord, 4, 120, seed) for seed in range(10)}) > 5


def test_a_slow_tune_swings_and_a_fast_one_does_not():
    offbeats = {tempo: {note[2] % 960 for seed in range(9) for note in fallback_phrase(Chord(0, "major"), 4, tempo, seed).notes} - {0} for tempo in (90, 240)}  # fmt: skip
    assert offbeats == {90: {640}, 240: {480}}


def test_a_pick_up_is_a_tone_of_the_chord_near_by():
    for chord in EVERY:
        assert pickup_pitch(chord, 70) % 12 in chord.pitch_classes
        assert abs(pickup_pitch(chord, 70) - 70) <= 6
