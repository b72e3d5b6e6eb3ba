"""Files to windows: nothing crosses splits, nothing leaves an archive, nothing is moved on the way."""

import shutil
import tarfile
import zipfile

import numpy as np
import pytest

from models.groove.dataset import SPLITS, prepare, read_corpus
from models.groove.encoding import GM, HITS, OFFSETS, ROLAND
from models.groove.sequences import (
    cells_of_file,
    cells_of_sequence,
    four_four,
    performance_of_file,
    sequence_of_cells,
    sequence_of_file,
)
from models.music.errors import BadInput, BadMidi
from models.music.midi import read_midi, write_midi
from models.music.notes import Take
from models.practice.grooves import write_grooves

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # note_seq's own imports


@pytest.fixture(scope="module")
def grooves(tmp_path_factory):
    return write_grooves(tmp_path_factory.mktemp("grooves"), performances=12, bars=4, seed=3)


def test_the_official_split_is_kept_and_comes_back_from_disk(grooves, tmp_path):
    corpus = prepare(grooves, tmp_path / "prepared")
    assert corpus.summary["split"] == "official"
    assert corpus.summary["performances"] == {"train": 8, "validation": 2, "test": 2}
    assert corpus.train.cells.shape == (8 * 3, 32, 27)
    again = read_corpus(tmp_path / "prepared")
    for name in SPLITS:
        np.testing.assert_array_equal(corpus[name].cells, again[name].cells)
        assert corpus[name].names == again[name].names


def test_without_a_split_no_session_is_on_both_sides(grooves, tmp_path):
    bare = tmp_path / "bare"
    for file in grooves.rglob("*.mid"):
        write_midi(bare / file.relative_to(grooves), read_midi(file), drums=True)
    sessions = prepare(bare, tmp_path / "one").summary["sessions"]
    assert all(sessions[name] for name in SPLITS)
    assert sum(len(s) for s in sessions.values()) == len(set().union(*map(set, sessions.values()))) == 6
    assert prepare(bare, tmp_path / "two").summary["sessions"] == sessions


def test_an_official_split_that_lacks_a_part_is_said_to_be_left(grooves, tmp_path, caplog):
    partial = shutil.copytree(grooves, tmp_path / "partial")
    table = next(partial.rglob("info.csv"))
    table.write_text(table.read_text().replace("validation", "train"))
    summary = prepare(partial, tmp_path / "prepared").summary
    assert summary["split"] == "by session"
    assert summary["official_parts_missing"] == ["validation"]
    assert "the official split lacks validation" in caplog.text


def test_an_archive_is_read_as_its_folder_is(grooves, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in grooves.rglob("*.*"):
            archive.write(file, file.relative_to(grooves.parent))
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(grooves, "groove")
    plain = prepare(grooves, tmp_path / "plain")
    for name in ("a.zip", "a.tar.gz"):
        assert prepare(tmp_path / name, tmp_path / f"of-{name}").train.cells.tobytes() == plain.train.cells.tobytes()


def test_an_archive_that_reaches_outside_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../../escaped.mid", b"MThd")
    with pytest.raises(BadInput, match=r"evil\.zip"):
        prepare(tmp_path / "evil.zip", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.parent.rglob("escaped.mid"))
    (tmp_path / "text.zip").write_text("not a zip")
    with pytest.raises(BadInput, match=r"text\.zip"):
        prepare(tmp_path / "text.zip", tmp_path / "out")


def test_what_is_not_in_four_four_is_left_out_and_said(grooves, tmp_path):
    mixed = tmp_path / "mixed"
    for index, file in enumerate(sorted(grooves.rglob("*.mid"))[:4]):
        write_midi(mixed / f"s{index}" / file.name, read_midi(file), drums=True)
    write_midi(mixed / "s9" / "waltz.mid", Take(np.array([(36, 90, 0, 10)]), meter=(3, 4)), drums=True)
    (mixed / "s9" / "broken.mid").write_bytes(b"MThd")
    left_out = prepare(mixed, tmp_path / "out").summary["left_out"]
    assert left_out["s9/waltz.mid"] == "not one tempo in 4/4"
    assert "not readable as MIDI" in left_out["s9/broken.mid"]
    with pytest.raises(BadInput, match="at least 3"):
        prepare(mixed / "s0", tmp_path / "few")
    with pytest.raises(BadMidi, match="meter 3/4"):
        four_four(read_midi(mixed / "s9" / "waltz.mid"))


def test_the_same_seed_writes_the_same_people(grooves, tmp_path):
    write_grooves(tmp_path, performances=12, bars=4, seed=3)
    for file in grooves.rglob("*.*"):
        assert file.read_bytes() == (tmp_path / file.relative_to(grooves)).read_bytes()


def test_practice_drummers_are_human(grooves, tmp_path):
    cells = prepare(grooves, tmp_path / "prepared").train.cells
    lean = cells[..., OFFSETS][cells[..., HITS] > 0] / 2
    assert 0.03 < lean.std() < 0.2
    assert np.abs(lean).max() < 0.5


def test_a_file_and_a_sequence_agree(grooves):
    file = sorted(grooves.rglob("*.mid"))[0]
    cells = cells_of_file(file, GM)
    sequence = sequence_of_file(file)
    assert all(note.is_drum for note in sequence.notes)
    np.testing.assert_allclose(cells_of_sequence(sequence, GM), cells, atol=1e-9)
    np.testing.assert_allclose(
        cells_of_sequence(sequence_of_cells(cells, tempo_bpm=97)), cells_of_file(file), atol=1e-6
    )


def test_times_are_those_of_note_seq_to_the_last_bit(shared):
    """On real performances, whose float32 seconds would fall on other steps."""
    import note_seq

    for file in sorted((shared / "data" / "groove_midi").glob("drummer[459]/*/1_*.mid"))[:4]:
        theirs = note_seq.midi_file_to_note_sequence(str(file))
        ours = performance_of_file(file)
        assert sorted(map(tuple, ours.notes)) == sorted(
            (n.pitch, n.velocity, n.start_time, n.end_time) for n in theirs.notes
        )
        assert ours.tempos_bpm == tuple(t.qpm for t in theirs.tempos)
        np.testing.assert_array_equal(ours.cells(ROLAND), cells_of_sequence(theirs))
