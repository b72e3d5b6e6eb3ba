import pytest

from models.jam.chords import hear_chords, is_chord, key_of, written_chord
from models.jam.sheets import in_order, shifted
from models.music.chords import Chord
from models.music.notes import as_notes
from models.practice.solos import progression

BAR = 3840


def band(chords, bars):
    """Rootless shells above a bass, as the practice room's band plays them, without its dice."""
    rows, ends = [], [*(at for at, _ in chords[1:]), 4.0 * bars]
    for (begin, chord), end in zip(chords, ends, strict=True):
        begin, long = round(begin * 960), round((end - begin) * 900)
        rows.append((36 + chord.root, 80, begin, long))
        rows += [(48 + tone, 60, begin, long) for tone in chord.pitch_classes[1:]]
    return as_notes(rows)


@pytest.mark.parametrize("form", ["rhythm", "leaves", "corner", "blues"])
@pytest.mark.parametrize("key", [0, 5, 11])
def test_a_progression_is_heard_as_it_was_written(form, key):
    written = progression(form, key, 1)
    heard = hear_chords(band(written, 12 if form == "blues" else 8), BAR)
    assert heard == in_order(written)


def test_the_first_chord_waits_for_a_sound_and_a_rest_keeps_the_chord():
    notes = as_notes([(48 + tone, 80, 2 * BAR + bar * BAR, 960) for bar in (0, 3) for tone in (0, 4, 7)])
    assert [(at, chord and str(chord)) for at, chord in hear_chords(notes, BAR)] == [(0.0, None), (8.0, "C")]


def test_silence_has_no_chords():
    assert hear_chords(as_notes([]), BAR) == ()


@pytest.mark.parametrize(
    ("symbol", "chord"),
    [("A:min7/b3", "Am7"), ("C-7", "Cm7"), ("Ebj7", "Ebmaj7"), ("Dbo7", "C#dim7"), ("G79b", "G7"), ("F#:hdim7", "F#m7b5"),
     ("Gdominant-ninth", "G7"), ("Bb:sus4(b7)", "Bb7sus4"), ("NC", None), ("N", None)],
)  # fmt: skip
def test_the_spellings_of_several_collections_are_read(symbol, chord):
    assert str(written_chord(symbol)) == str(chord)


def test_a_marker_that_is_no_chord_is_none():
    assert not is_chord("Verse 1")
    assert is_chord("N.C.")
    assert not is_chord("  ")


def test_chords_move_with_the_piece_and_what_sounds_at_its_beginning_begins_there():
    chords = ((0.0, Chord(0, "major")), (6.0, Chord(5, "major")), (20.0, None))
    assert shifted(chords, -8.0, 10.0) == ((0.0, Chord(5, "major")),)
    assert shifted(chords, 2.0)[0] == (2.0, Chord(0, "major"))


def test_a_scale_tells_its_key():
    scale = [(60 + tone, 90, 960 * i, 900 if tone else 1900) for i, tone in enumerate((0, 2, 4, 5, 7, 9, 11, 12))]
    assert key_of(as_notes(scale)) == 0
    minor = [
        (57 + tone, 90, 960 * i, 1900 if tone in (0, 7) else 900) for i, tone in enumerate((0, 2, 3, 5, 7, 8, 10, 12))
    ]
    assert key_of(as_notes(minor)) == 12 + 9
