"""A solo: every sequence of words is valid, whoever chooses them, and a player's wishes are kept."""

import numpy as np
import pytest
from soloists import toy_sample

from models.jam.config import TINY
from models.jam.decode import AT_ONCE, OnnxDecoder, Reader
from models.jam.grid import LENGTHS, from_grid, to_grid
from models.jam.improvise import Cue, improvise, reading
from models.jam.sampling import Grammar, Taste, choose
from models.jam.tokens import Sheet, cells_of
from models.jam.vocabulary import BAR, LENGTH, PITCH, PLACE, SIZE, TABLE
from models.music.errors import BadInput

SAMPLE = toy_sample(3, "rising", "train", bars=8)
SHEET = Sheet(140, chords=SAMPLE.chords)
LINE = to_grid(SAMPLE.lead.notes, 3840)


@pytest.fixture(scope="module")
def decoder(weights):
    return OnnxDecoder(weights, TINY, "fp32")


def cells(line):
    return [tuple(cell) for cell in line.tolist()]


def played(decoder, reader=None, **cue):
    told = {"sheet": SHEET, "start": 0, "until": 8 * 96, **cue}
    return list(improvise(reader or decoder.open(), Cue(**told)))


class Anybody(Reader):
    """Expects anything, whatever was read."""

    def __init__(self, seed):
        super().__init__(context=256)
        self.dice = np.random.default_rng(seed)

    def _read(self, words, beside):
        return self.dice.normal(size=(len(words), TABLE)).astype(np.float32) * 3


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("taste", [Taste(), Taste(temperature=3.0, top_p=1.0), Taste(lowest=60, highest=72)])
def test_whoever_chooses_the_words_no_note_is_invalid(seed, taste):
    sheet = Sheet(140, 2880, SAMPLE.chords)
    line = np.array(list(improvise(Anybody(seed), Cue(sheet, 10, 7 * 72 - 5, taste=taste, seed=seed))))
    at = line[:, 0] * 72 + line[:, 1]
    assert at.min() >= 10
    assert at.max() < 7 * 72 - 5
    assert (np.diff(at) >= 0).all()
    assert line[:, 3].min() >= taste.lowest
    assert line[:, 3].max() <= taste.highest
    ends = at + np.array(LENGTHS)[line[:, 4]]
    for pitch in np.unique(line[:, 3]):  # nothing is struck again while it sounds
        of_pitch = line[:, 3] == pitch
        assert (at[of_pitch][1:] >= ends[of_pitch][:-1]).all()
    assert np.array_equal(to_grid(from_grid(line, 2880), 2880), line)


def test_the_same_seed_plays_the_same(decoder):
    assert played(decoder, seed=4) == played(decoder, seed=4)
    assert played(decoder, seed=4) != played(decoder, seed=5)


def test_a_reader_that_heard_something_else_plays_the_same(decoder):
    reader = decoder.open()
    played(decoder, reader, sheet=Sheet(90), seed=9)
    assert played(decoder, reader, seed=4) == played(decoder, seed=4)


class Counting(Anybody):
    """Remembers how many words it read each time, and whoever stops it does so after the first."""

    def __init__(self):
        super().__init__(seed=1)
        self.portions_read = []

    def _read(self, words, beside):
        self.portions_read.append(len(words))
        return super()._read(words, beside)

    def stopped(self):
        return bool(self.portions_read)


def test_who_is_stopped_while_reading_a_long_prompt_reads_no_further():
    line = to_grid([(60 + i % 12, 80, i * 480, 400) for i in range(64)], 3840)
    reader, cue = Counting(), Cue(SHEET, start=8 * 96, until=9 * 96, line=line)
    assert len(reading(cue, cells(line), 8, reader.context)) > AT_ONCE
    assert list(improvise(reader, cue, reader.stopped)) == []
    assert reader.portions_read == [AT_ONCE]
    assert len(list(improvise(reader, cue))) > 0  # and it can go on from there


def test_who_is_stopped_between_two_words_says_no_other():
    reader = Counting()
    assert list(improvise(reader, Cue(SHEET, 0, 96), lambda: len(reader.portions_read) > 1)) == []
    assert len(reader.portions_read) == 2


def test_chord_tones_alone_are_played_at_full_bias(decoder):
    for bias, low, high in ((0.0, 0.0, 0.7), (1.0, 1.0, 1.0)):
        cells = np.array(played(decoder, taste=Taste(chord_bias=bias)))
        chords = [SHEET.chord_at(4 * bar + place / 24) for bar, place in cells[:, :2]]
        share = np.mean(
            [
                bool(chord) and pitch % 12 in chord.pitch_classes
                for pitch, chord in zip(cells[:, 3], chords, strict=True)
            ]
        )
        assert low <= share <= high


@pytest.mark.parametrize(("bias", "ratio"), [(0.0, 1.0), (0.5, 0.5), (0.9, 0.1)])
def test_a_bias_lowers_what_is_strange_to_the_chord(bias, ratio):
    tones = np.isin(np.arange(128) % 12, (0, 4, 7)) & np.ones((96, 1), bool)
    grammar = Grammar(96, Taste(chord_bias=bias), tones=tones)
    grammar.hear(PLACE(0))
    bent = grammar.wished(np.zeros(SIZE, np.float32))
    assert np.exp(bent[PITCH(61)] - bent[PITCH(60)]) == pytest.approx(ratio)


def thrown(taste, kind=PITCH):
    """Which of three words are chosen, one of them likely and one hardly."""
    logits, allowed, dice = np.full(SIZE, -9.0, np.float32), np.zeros(SIZE, bool), np.random.default_rng(0)
    logits[kind(0)], logits[[kind(1), kind(2), kind(3)]] = 9.0, [2.0, 1.0, -3.0]
    allowed[[kind(1), kind(2), kind(3)]] = True
    return {choose(logits, allowed, taste, dice) - kind.first for _ in range(200)}


def test_no_temperature_takes_the_likeliest_and_top_p_the_likely():
    assert thrown(Taste(temperature=0.0)) == {1}
    assert thrown(Taste(temperature=1.0, top_p=0.9)) == {1, 2}
    assert thrown(Taste(temperature=4.0, top_p=1.0)) == {1, 2, 3}


def test_top_p_leaves_rhythm_alone_for_rests_are_many_unlikely_places():
    assert (
        thrown(Taste(temperature=2.0, top_p=0.5), PLACE)
        == thrown(Taste(temperature=2.0, top_p=0.5), LENGTH)
        == {1, 2, 3}
    )
    assert thrown(Taste(temperature=0.0), PLACE) == {1}


def test_what_was_played_is_read_and_the_rest_is_not(decoder):
    words = reading(Cue(SHEET, 0, 96), cells(LINE[LINE[:, 0] < 6]), bar=6, context=1000)
    assert np.array_equal(cells_of(words), LINE[LINE[:, 0] < 6])
    assert played(decoder, line=LINE, start=4 * 96) == played(decoder, line=LINE[LINE[:, 0] < 4], start=4 * 96)


@pytest.mark.parametrize("most", [32, 64, 96, 128])
def test_a_primer_is_as_long_as_was_asked_for(most):
    words = reading(Cue(SHEET, 0, 96, most_words=most), cells(LINE), bar=7, context=1000)
    assert most - 20 <= len(words) <= most
    assert words[-1] == reading(Cue(SHEET, 0, 96), cells(LINE), bar=7, context=1000)[-1]


def test_old_bars_leave_several_at_a_time():
    long = toy_sample(4, "rising", "train", bars=64)
    line, sheet = to_grid(long.lead.notes, 3840), Sheet(140, chords=long.chords)
    first = [
        tuple(reading(Cue(sheet, 0, 96), cells(line[line[:, 0] < bar]), bar, context=296)[4:8]) for bar in range(20, 60)
    ]
    assert 9 <= sum(one != other for one, other in zip(first[1:], first[:-1], strict=True)) <= 11


def test_a_band_is_read_before_the_line_in_the_users_form():
    band = to_grid(SAMPLE.conditioning.notes, 3840)
    words = reading(Cue(SHEET, 0, 96, band=band), cells(LINE[LINE[:, 0] < 2]), bar=2, context=1000).tolist()
    assert words.count(BAR(8)) == 2 * 3
    assert words.count(PITCH(int(band[0, 3]))) >= 1


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"temperature": 9.0}, "temperature is 9; give 0 to 4"),
        ({"top_p": 0.0}, "top_p is 0; give 0.01 to 1"),
        ({"chord_bias": float("nan")}, "chord_bias is nan"),
        ({"lowest": 60, "highest": 65}, "give an octave or more"),
    ],
)
def test_a_wish_that_cannot_be_kept_is_refused(wish, sentence):
    with pytest.raises(BadInput, match=sentence):
        Taste(**wish)


@pytest.mark.parametrize("most", [0, 2])
def test_nobody_rests_for_longer_than_was_agreed(most):
    class Lazy(Anybody):
        def _read(self, words, beside):
            return super()._read(words, beside) + 100 * (np.arange(TABLE) == BAR(8))

    bars = [cell[0] for cell in improvise(Lazy(0), Cue(SHEET, 0, 16 * 96, taste=Taste(longest_rest_bars=most)))]
    assert bars == list(range(most, 16, most + 1))


def test_a_bar_may_end_at_once():
    grammar = Grammar(96, Taste(), earliest=95, latest=96)
    assert grammar.allowed()[[BAR(8)]].all()
