from dataclasses import replace

import numpy as np
import pytest

from models.jam.roles import SPLITS, Roles, RoleSample, read_roles, write_sample
from models.music.chords import Chord
from models.music.errors import BadInput
from models.music.files import whole_folder, write_json
from models.music.notes import Take, as_notes


def a_take(*notes: tuple[int, int, int, int]) -> Take:
    return Take(as_notes(notes), 133.7)


def a_sample(**changes) -> RoleSample:
    lead = a_take((72, 90, 10, 400), (72, 80, 410, 300), (74, 90, 5000, 960))
    comping = a_take((48, 60, 0, 3800), (52, 60, 0, 3800), (50, 60, 3840, 960))
    chords = ((0.0, Chord(9, "minor-seventh")), (4.0, None))
    return replace(RoleSample("a", "tune", "swing", "train", 21, chords, comping, lead), **changes)


def written(folder, *samples):
    with whole_folder(folder) as part:
        for sample in samples:
            write_sample(part, sample)
        counts = {split: sum(sample.split == split for sample in samples) for split in SPLITS}
        write_json(part / "summary.json", {"samples": counts})
    return folder


def same(a: RoleSample, b: RoleSample) -> bool:
    parts = ((a.lead, b.lead), (a.conditioning, b.conditioning))
    words = [replace(each, lead=a.lead, conditioning=a.conditioning) for each in (a, b)]
    return words[0] == words[1] and all(
        np.array_equal(x.notes, y.notes) and (x.tempo_bpm, x.meter) == (y.tempo_bpm, y.meter) for x, y in parts
    )


def test_a_sample_survives_the_disk_and_back(tmp_path):
    roles = read_roles(written(tmp_path / "roles", a_sample(), a_sample(sample_id="b", split="test")))
    assert same(roles["train"][0], a_sample())
    assert (tmp_path / "roles/lead/a/target.mid").is_file()
    assert roles["test"][0].sample_id == "b"
    assert roles.summary == {"samples": {"train": 1, "valid": 0, "test": 1}}


def test_a_split_without_samples_says_so():
    with pytest.raises(BadInput, match=r"no sample in the split 'valid'"):
        Roles((a_sample(),), {})["valid"]


def test_transposition_moves_notes_chords_and_key_and_comes_back():
    up = a_sample().transposed(5)
    assert up.lead.notes[:, 0].tolist() == [77, 77, 79]
    assert str(up.chords[0][1]) == "Dm7"
    assert up.key == 14
    assert up.sample_id == "a+5"
    assert same(replace(up.transposed(-5), sample_id="a"), a_sample())


def test_a_part_that_would_leave_the_keyboard_is_moved_by_an_octave():
    assert a_sample(conditioning=a_take((3, 60, 0, 960))).transposed(-6).conditioning.notes[0, 0] == 9


def test_every_onset_knows_its_chord():
    assert [chord and str(chord) for chord in a_sample().chords_at(np.array([0, 3839, 3840]))] == ["Am7", "Am7", None]


def test_a_sample_whose_file_lost_a_note_is_refused(tmp_path):
    folder = written(tmp_path / "roles", a_sample())
    write_sample(tmp_path, a_sample(lead=a_take((60, 60, 0, 60))))
    (folder / "lead/a/target.mid").write_bytes((tmp_path / "lead/a/target.mid").read_bytes())
    with pytest.raises(BadInput, match="a: its notes are not those that were written"):
        read_roles(folder)


def test_samples_of_another_time_in_the_same_folder_are_noticed(tmp_path):
    folder = written(tmp_path / "roles", a_sample())
    write_sample(folder, a_sample(sample_id="b"))
    with pytest.raises(BadInput, match=r"'train': 2.* samples; summary\.json tells of .*'train': 1"):
        read_roles(folder)


@pytest.mark.parametrize("words", ["{}", "[]", '{"tempo_bpm": "fast", "meter": [4, 4]}', "{"])
def test_a_meta_file_that_says_nothing_useful_ends_in_one_line(tmp_path, words):
    folder = written(tmp_path / "roles", a_sample())
    (folder / "lead/a/meta.json").write_text(words)
    with pytest.raises(BadInput, match=r"meta\.json"):
        read_roles(folder)


@pytest.mark.parametrize("changes", [{"split": "exam"}, {"key": 24}, {"chords": ((4.0, None), (0.0, None))}])
def test_a_sample_that_cannot_be_is_refused(changes):
    with pytest.raises(BadInput, match="a:"):
        a_sample(**changes)
