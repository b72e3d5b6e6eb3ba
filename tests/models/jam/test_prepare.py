"""A folder of MIDI becomes role samples: doubles out, pieces whole, everything accounted for."""

from itertools import pairwise

import numpy as np
import pytest

from models.jam.likeness import likeness, near_duplicates, shingles
from models.jam.pictures import draw_roles
from models.jam.prepare import Preparing, prepare
from models.jam.roles import read_roles
from models.music.errors import BadConfig, BadInput
from models.music.midi import write_parts
from models.music.notes import PITCH, Take, as_notes

BAND = [(48 + tone, 60, 3840 * bar, 3800) for bar in range(12) for tone in (0, 4, 7)]


def line(seed: int, notes: int = 96) -> np.ndarray:
    dice = np.random.default_rng(seed)
    pitch = 72 + np.clip(dice.choice((-2, -1, 1, 2), notes).cumsum(), -11, 11)
    return as_notes(np.stack([pitch, np.full(notes, 90), np.arange(notes) * 480, np.full(notes, 440)], axis=1))


def save(path, lead: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_parts(path, {"Lead": Take(lead), "Piano": Take(as_notes(BAND))})


@pytest.fixture
def songs(tmp_path):
    for number in range(20):
        save(tmp_path / "songs/jazz" / f"Player_Tune{number // 2}-{number % 2}.mid", line(number))
    (tmp_path / "songs/jazz/broken.mid").write_bytes(b"")
    return tmp_path / "songs"


NAMING = r"(?P<style>[^/]+)/[^_]+_(?P<piece>.+?)(-\d+)?"


def test_every_piece_is_in_one_split_and_reads_back(tmp_path, songs):
    made = prepare(songs, tmp_path / "roles", Preparing(naming=NAMING))
    read = read_roles(tmp_path / "roles")
    assert [sample.sample_id for sample in read.samples] == [sample.sample_id for sample in made.samples]
    splits = {}
    for sample in read.samples:
        assert splits.setdefault(sample.piece, sample.split) == sample.split
    assert len(splits) == 10
    assert read.summary["pieces"] == {"train": 6, "valid": 2, "test": 2}
    assert read.summary["styles"] == {"jazz": 20}
    assert read.summary["left_out"] == {"empty file": 1}
    assert "0 bytes" in read.summary["left_out_files"]["jazz/broken.mid"]


def test_the_same_files_give_the_same_samples(tmp_path, songs):
    first, again = (prepare(songs, tmp_path / name).summary for name in ("first", "again"))
    assert first == again
    for file in (tmp_path / "first").rglob("*.mid"):
        assert file.read_bytes() == (tmp_path / "again" / file.relative_to(tmp_path / "first")).read_bytes()


def test_all_keys_are_written_and_never_cross_the_split(tmp_path, songs):
    made = prepare(songs, tmp_path / "roles", Preparing(transpose=6, naming=NAMING))
    roles = read_roles(tmp_path / "roles")
    learnt = [sample for sample in roles["train"] if sample.piece == roles["train"][0].piece]
    assert len(learnt) == 2 * 12
    assert {sample.transposition for sample in learnt} == set(range(-5, 7))
    assert len({sample.lead.notes[0, PITCH] % 12 for sample in learnt if sample.source == learnt[0].source}) == 12
    assert all(sample.transposition == 0 for sample in roles["valid"] + roles["test"])
    assert len(roles["train"]) == 12 * len(made["train"])


def test_a_tune_in_another_key_with_a_few_other_notes_is_taken_once(tmp_path, songs):
    known = line(3)
    again = known.copy()
    again[:, PITCH] += 5
    again[::30, PITCH] += 1
    save(songs / "zz/again.mid", again)
    roles = prepare(songs, tmp_path / "roles")
    assert roles.summary["left_out"]["double"] == 1
    assert roles.summary["left_out_files"]["zz/again.mid"] == "its lead is that of jazz/Player_Tune1-1.mid"


def test_likeness_falls_with_every_changed_note_and_strangers_share_little():
    lead, seen = line(1, 400), [1.0]
    for changed in (4, 20, 100):
        other = lead.copy()
        other[np.random.default_rng(changed).choice(400, changed, replace=False), PITCH] += 3
        seen.append(likeness(shingles(lead), shingles(other)))
    assert all(high > low for high, low in pairwise(seen))
    assert likeness(shingles(lead), shingles(line(2, 400))) < 0.1
    assert near_duplicates([line(seed) for seed in range(50)]) == {}
    assert near_duplicates([lead, line(7), lead, line(7)]) == {2: 0, 3: 1}


def test_processes_side_by_side_make_what_one_makes(tmp_path):
    for number in range(40):
        save(tmp_path / "songs" / f"{number}.mid", line(number))
    alone = prepare(tmp_path / "songs", tmp_path / "alone", Preparing(processes=1))
    together = prepare(tmp_path / "songs", tmp_path / "together", Preparing(processes=2))
    assert alone.summary == together.summary
    assert [a.sample_id for a in alone.samples] == [b.sample_id for b in together.samples]


def test_a_picture_shows_the_samples(tmp_path, songs):
    draw_roles(tmp_path / "roles.png", prepare(songs, tmp_path / "roles"))
    assert (tmp_path / "roles.png").stat().st_size > 10_000


def test_too_few_pieces_to_hold_some_out_say_so(tmp_path):
    for number in range(2):
        save(tmp_path / "songs" / f"{number}.mid", line(number))
    with pytest.raises(BadInput, match="2 pieces that can be used; at least 3"):
        prepare(tmp_path / "songs", tmp_path / "roles")
    assert not (tmp_path / "roles").exists()


@pytest.mark.parametrize("wrong", [{"transpose": 7}, {"naming": "("}, {"naming": "(?P<tune>.*)"}])
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(BadConfig, match=next(iter(wrong))):
        Preparing(**wrong)
