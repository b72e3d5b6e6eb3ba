"""Words and notes: what is said comes back, chords come a bar ahead, and words can be transposed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from models.jam.grid import MAX_PLACES, from_grid, to_grid
from models.jam.harmony import as_melody, beside_words
from models.jam.tokens import Sheet, cells_of, said_of, spell, words_of
from models.jam.vocabulary import (
    BAR,
    BEAT,
    CHORD,
    COND_SEP,
    DEGREE,
    FARTHEST,
    FARTHEST_STEP,
    LENGTH,
    NEXT,
    PAD,
    PITCH,
    PLACE,
    ROLE,
    SIZE,
    STEP,
    STYLE,
    TABLE,
    TEMPO,
    TRANSPOSED,
)
from models.music.chords import KINDS, Chord, chord_number, chord_of
from models.music.errors import BadInput

AM, D7, G = Chord.parse("Am7"), Chord.parse("D7"), Chord.parse("Gmaj7")
SHEET = Sheet(140, chords=((0.0, AM), (2.0, D7), (4.0, G), (8.0, None)))
NOTES = [(60, 100, 0, 480), (64, 60, 500, 200), (67, 60, 500, 960), (72, 120, 3900, 100), (50, 20, 11520, 5760)]

cells = some.lists(
    some.tuples(
        some.integers(0, 5),
        some.integers(0, MAX_PLACES - 1),
        some.integers(0, 3),
        some.integers(0, 127),
        some.integers(0, 15),
    ),
    unique_by=lambda cell: (cell[0], cell[1], cell[3]),
).map(lambda rows: np.array(sorted(rows, key=lambda row: (row[0], row[1], row[3])), np.int32).reshape(-1, 5))


@given(cells)
@settings(deadline=None, max_examples=50)
def test_a_note_survives_tokens_and_back(line):
    words = spell(SHEET, line, 6).window(0, 6)
    assert np.array_equal(cells_of(words), line)
    band = spell(SHEET, line, 6, band=line[::2]).window(0, 6)
    assert np.array_equal(cells_of(band), line)


def test_a_note_takes_three_words_and_can_sound_after_two():
    words = words_of(to_grid([(60, 100, 480, 480)], 3840))
    assert words.tolist() == [PLACE(12 * 4 + 2 + 1), PITCH(60), LENGTH(7)]
    assert from_grid(cells_of([BAR(8), *words]), 3840)[0, :1] == 60


def test_a_bar_begins_with_its_chords_and_the_one_after_it():
    words = spell(SHEET, to_grid(NOTES, 3840), 3).window(0, 3).tolist()
    chords = {name: CHORD(chord_number(chord)) for name, chord in (("Am7", AM), ("D7", D7), ("G", G), ("", None))}
    assert words[:4] == [ROLE(0), STYLE(0), TEMPO(9), COND_SEP()]
    assert words[4:10] == [BAR(8), chords["Am7"], BEAT(4), chords["D7"], NEXT(), chords["G"]]
    second = words.index(BAR(8), 5)
    assert words[second : second + 4] == [BAR(8), chords["G"], NEXT(), chords[""]]


def test_every_note_carries_its_chord_its_degree_and_its_step():
    cells = to_grid(
        [(60, 90, 0, 100), (62, 90, 1800, 9), (57, 90, 1920, 9), (71, 90, 3900, 9), (60, 90, 7700, 9)], 3840
    )
    words = spell(SHEET, cells, 3).window(0, 3)
    beside = beside_words(words)
    chords = [CHORD(chord_number(chord)) for chord in (AM, AM, D7, G, None)]
    assert beside[is_kind(words, PLACE), 0].tolist() == beside[is_kind(words, LENGTH), 0].tolist() == chords
    assert beside[is_kind(words, PLACE), 1].tolist() == [PAD(), PITCH(60), PITCH(62), PITCH(57), PITCH(71)]
    minor, dominant, major = (12 * (1 + KINDS.index(chord.kind)) for chord in (AM, D7, G))
    degrees = [minor + 3, minor + 5, dominant + 7, major + 4, 0]  # a third, a fourth, a fifth, a third; nobody knows
    steps = [FARTHEST_STEP + step for step in (2, -5, 14, -11)]
    assert beside[is_kind(words, PITCH)].tolist() == [
        [DEGREE(degree), step] for degree, step in zip(degrees, [PAD(), *map(STEP, steps)], strict=True)
    ]
    assert set(map(tuple, beside[~said_of(words) | is_kind(words, BAR)])) == {(CHORD(), PAD())}
    for begin in range(len(words)):
        assert np.array_equal(beside_words(words, begin), beside[begin:])


def test_a_tune_in_another_key_keeps_its_degrees_and_steps():
    words = spell(SHEET, to_grid(NOTES, 3840), 3).window(0, 3)
    pitches = is_kind(words, PITCH)
    assert np.array_equal(beside_words(TRANSPOSED[5][words])[pitches], beside_words(words)[pitches])


def test_a_pitch_is_as_likely_as_itself_its_degree_and_its_step():
    logits = np.zeros((1, TABLE), np.float32)
    logits[0, [PITCH(60), DEGREE(12 * (1 + KINDS.index("minor-seventh")) + 3), STEP(FARTHEST_STEP - 2)]] = 1, 2, 4
    expected = as_melody(logits, np.array([[CHORD(chord_number(AM)), PITCH(62)]]))
    assert expected.shape == (1, SIZE)
    assert expected[0, [PITCH(60), PITCH(72), PITCH(61), PLACE(0)]].tolist() == [7, 2, 0, 0]


def is_kind(words, kind):
    return (words >= kind.first) & (words < kind.first + kind.size)


@pytest.mark.parametrize(("ticks_per_bar", "eighths"), [(2880, 6), (3360, 7), (1920, 4), (1680, 4)])
def test_other_meters_have_their_own_bar_lines(ticks_per_bar, eighths):
    sheet = Sheet(140, ticks_per_bar)
    words = spell(sheet, to_grid([(60, 100, ticks_per_bar, 480)], ticks_per_bar), 2).window(0, 2)
    assert (words == BAR(eighths)).sum() == 2


def test_a_bar_longer_than_four_quarters_is_refused_in_a_sentence():
    with pytest.raises(BadInput, match="a bar of 5 quarters; a soloist plays bars of at most 4"):
        Sheet(140, 4800)


def test_a_soloist_says_its_line_and_is_told_the_rest():
    words = spell(SHEET, to_grid(NOTES, 3840), 4).window(0, 4)
    said = words[said_of(words)]
    assert len(said) == 4 + 3 * len(NOTES)
    heard = spell(SHEET, to_grid(NOTES, 3840), 4, band=to_grid(NOTES, 3840)).window(0, 4)
    assert np.array_equal(heard[said_of(heard)], said)


@pytest.mark.parametrize("shift", [-FARTHEST, -1, 0, 5, FARTHEST])
def test_words_are_transposed_as_notes_and_chords_are(shift):
    moved = Sheet(140, chords=tuple((at, c and Chord((c.root + shift) % 12, c.kind)) for at, c in SHEET.chords))
    higher = np.array(NOTES)
    higher[:, 0] += shift
    words = spell(SHEET, to_grid(NOTES, 3840), 4).window(0, 4)
    assert np.array_equal(TRANSPOSED[shift][words], spell(moved, to_grid(higher, 3840), 4).window(0, 4))
    assert TRANSPOSED[shift].max() < SIZE


def test_a_pitch_at_the_keyboards_end_is_transposed_to_an_octave_nearer():
    assert TRANSPOSED[6][PITCH(125)] == PITCH(119)
    assert TRANSPOSED[-6][PITCH(2)] == PITCH(8)


def test_every_chord_has_a_number_of_its_own():
    assert [chord_number(chord_of(number)) for number in range(97)] == list(range(97))


def test_a_window_is_as_long_as_fits():
    text = spell(SHEET, to_grid(NOTES, 3840), 4)
    for most in range(24, 60):
        last = text.fitting(0, most)
        assert len(text.window(0, last)) <= most
        assert last == 4 or len(text.window(0, last + 1)) > most
