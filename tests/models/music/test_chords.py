import pytest

from models.music.chords import KINDS, NAMES, Chord, recognise
from models.music.errors import BadInput


@pytest.mark.parametrize(
    ("symbol", "written"),
    [
        ("C", "C"), ("Am", "Am"), ("F#m7b5", "F#m7b5"), ("Bb13", "Bb7"), ("Ebmaj9", "Ebmaj7"), ("G-7", "Gm7"),
        ("Ddim", "Ddim7"), ("A7sus4", "A7sus4"), ("C6", "C"), ("Fø", "Fm7b5"), ("Db/F", "C#"), ("Cadd9", "C"), ("EM7", "Emaj7"),
    ],
)  # fmt: skip
def test_a_symbol_falls_to_the_nearest_kind(symbol, written):
    assert str(Chord.parse(symbol)) == written


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ("diminished", "suspended")])
@pytest.mark.parametrize("root", range(12))
def test_a_chord_is_heard_as_what_it_is(root, kind):
    chord = Chord(root, kind)
    voicing = [48 + root] + [60 + pitch_class for pitch_class in chord.pitch_classes[1:]]
    assert recognise(voicing) == chord


def test_one_note_is_no_chord():
    assert recognise([60, 72]) is None


def test_what_is_not_a_chord_symbol_is_refused():
    with pytest.raises(BadInput, match="'H7': not a chord symbol"):
        Chord.parse("H7")


def test_names_come_back():
    assert [Chord.parse(name).root for name in NAMES] == list(range(12))
