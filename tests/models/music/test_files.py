import multiprocessing
import time

import pytest

from models.music.errors import BadInput, StorageError
from models.music.files import check_folder, is_whole, numbered, read_json, whole_file, whole_folder, write_json


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(RuntimeError), whole_file(tmp_path / "half.txt") as part:
        part.write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    assert read_json(write_json(tmp_path / "whole.json", {"a": 1})) == {"a": 1}


def test_a_folder_proves_what_it_holds(tmp_path):
    with whole_folder(tmp_path / "kit") as part:
        (part / "kick.wav").write_bytes(b"boom")
    assert list(check_folder(tmp_path / "kit")) == ["kick.wav"]
    (tmp_path / "kit" / "kick.wav").write_bytes(b"bang")
    assert not is_whole(tmp_path / "kit")
    with pytest.raises(BadInput, match=r"kick\.wav is missing or differs"):
        check_folder(tmp_path / "kit")


def test_a_manifest_cannot_reach_outside_its_folder(tmp_path):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "kit").mkdir()
    write_json(tmp_path / "kit" / "manifest.json", {"../secret": {"bytes": 1, "sha256": ""}})
    with pytest.raises(BadInput, match="outside the folder"):
        check_folder(tmp_path / "kit")


def test_a_place_that_cannot_be_written_is_named_with_the_way_out(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(StorageError, match=r"file/x: not written \(File exists\)\. Something of that name is there"),
        whole_file(tmp_path / "file" / "x") as part,
    ):
        part.touch()


def _claim(folder):
    with numbered(folder) as number:
        time.sleep(0.05)
        write_json(folder / f"grid_{number}.json", {})
    return number


def test_two_runs_at_once_never_get_the_same_number(tmp_path):
    (tmp_path / "dummy_00041.wav").touch()
    with multiprocessing.get_context("fork").Pool(4) as pool:
        numbers = pool.map(_claim, [tmp_path] * 8)
    assert sorted(numbers) == list(range(1, 9))
