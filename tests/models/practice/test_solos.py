import numpy as np
import pytest

from models.music.errors import BadConfig
from models.music.midi import read_score
from models.music.notes import ONSET, PITCH, TICKS_PER_QUARTER
from models.practice.solos import FORMS, STYLES, solo, solos_asked_for, swing_ratio, write_solos


def test_the_same_seed_writes_the_same_files(tmp_path):
    for name in ("one", "two"):
        write_solos(tmp_path / name, 6, seed=3)
    files = sorted(file.relative_to(tmp_path / "one") for file in (tmp_path / "one").rglob("*.mid"))
    assert len(files) == 6
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)
    write_solos(tmp_path / "three", 6, seed=4)
    assert (tmp_path / "one" / files[0]).read_bytes() != next((tmp_path / "three").rglob("*.mid")).read_bytes()


def test_a_file_has_a_lead_a_band_and_its_chords(tmp_path):
    write_solos(tmp_path, 1)
    [file] = tmp_path.rglob("*.mid")
    score, piece = read_score(file), solo("swing", 0)
    assert [track.name for track in score.tracks] == ["Lead", "Comping"]
    assert [mark.text for mark in score.markers] == [str(chord) for _, chord in piece.chords]


@pytest.mark.parametrize("style", STYLES)
def test_the_band_stays_below_middle_c_and_the_lead_above_it(style):
    for number in range(8):
        piece = solo(style, number)
        assert piece.comping.notes[:, PITCH].max() < 60 <= piece.lead.notes[:, PITCH].min() + 1
        assert piece.form in STYLES[style].forms


def test_all_keys_and_forms_come_up():
    pieces = [solo(style, number, choruses=1) for style in STYLES for number in range(40)]
    assert {piece.key for piece in pieces} == set(range(12))
    assert {piece.form for piece in pieces} == set(FORMS)


def test_a_soloist_rests_and_plays_a_little_behind_the_beat():
    late, gaps = [], []
    for number in range(10):
        piece = solo("swing", number)
        onsets = piece.lead.notes[:, ONSET]
        beat = (onsets + 240) % TICKS_PER_QUARTER - 240
        late.append(piece.lead.seconds(beat[np.abs(beat) < 100]).mean() * 1000)
        gaps.append(np.diff(onsets).max() / TICKS_PER_QUARTER)
    assert 8 < np.mean(late) < 30
    assert min(gaps) > 1.5


def offbeats(style, number):
    piece = solo(style, number)
    within = piece.lead.notes[:, ONSET] % TICKS_PER_QUARTER / TICKS_PER_QUARTER
    return piece.lead.tempo_bpm, np.median(within[(within > 0.4) & (within < 0.8)])


def test_swing_leans_less_the_faster_it_is_and_bossa_not_at_all():
    found = sorted(offbeats("swing", number) for number in range(12))
    slow, fast = np.mean([place for _, place in found[:4]]), np.mean([place for _, place in found[-4:]])
    assert slow > fast + 0.02
    assert np.mean([offbeats("bossa", number)[1] for number in range(6)]) == pytest.approx(0.5, abs=0.04)
    assert swing_ratio(60) > 2 > swing_ratio(120) > 1.5 > swing_ratio(240)


def test_chord_tones_stand_on_strong_beats():
    hits = []
    for number in range(6):
        piece = solo("swing", number)
        starts = [at for at, _ in piece.chords]
        for pitch, _, onset, _ in piece.lead.notes.tolist():
            beat = onset / TICKS_PER_QUARTER
            if beat % 2 < 0.1:
                chord = piece.chords[int(np.searchsorted(starts, round(beat), side="right")) - 1][1]
                hits.append(pitch % 12 in chord.pitch_classes)
    assert 0.88 < np.mean(hits) < 0.99


def test_a_source_that_asks_for_practice_says_how_much():
    assert (solos_asked_for("practice"), solos_asked_for("practice:7"), solos_asked_for("songs")) == (60, 7, 0)
    with pytest.raises(BadConfig, match="practice:many"):
        solos_asked_for("practice:many")


def test_an_unknown_style_names_the_known_ones():
    with pytest.raises(BadConfig, match="'swing'"):
        solo("swingg", 0)
