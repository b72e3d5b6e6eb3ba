"""What comes in is counted before it is copied; nothing leads out or round; what is refused leaves nothing."""

import io
import os
import tarfile
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

from backstage import storage
from backstage.record import Record
from backstage.tracking import recording
from components.drum_stems import gather
from models.music import intake
from models.music.errors import BadAudio, BadInput, JamflowError, StorageError
from pipelines import cli


def held(folder: Path) -> int:
    """How many bytes lie below a folder."""
    return sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir())


@pytest.fixture
def given(tmp_path: Path) -> Path:
    folder = tmp_path / "given"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "song.wav").write_bytes(b"RIFF")
    return folder


def test_links_lead_neither_out_nor_round(given, tmp_path):
    (tmp_path / "diary.txt").write_text("mine")
    (given / "a").symlink_to(given)
    (given / "b").symlink_to(given)
    (given / "out").symlink_to(tmp_path)
    (given / "diary.txt").symlink_to(tmp_path / "diary.txt")
    (given / "gone").symlink_to(tmp_path / "nowhere")
    (given / "again.wav").symlink_to(given / "deep" / "song.wav")
    with recording(tmp_path / "record"):
        storage.bring(str(given), tmp_path / "here")
    came = {path.relative_to(tmp_path / "here").as_posix() for path in (tmp_path / "here").rglob("*.*")}
    assert came == {"deep/song.wav", "again.wav", "manifest.json"}
    assert not any(path.is_symlink() for path in (tmp_path / "here").rglob("*"))
    (note,) = Record(tmp_path / "record").of_kind("note")
    assert "5 links" in note["text"]
    assert "diary.txt" in note["text"]


def test_a_pipe_in_a_folder_of_songs_stops_nobody(given, tmp_path):
    os.mkfifo(given / "pipe.wav")
    storage.bring(str(given), tmp_path / "here")
    assert not (tmp_path / "here" / "pipe.wav").exists()


def test_what_is_larger_than_the_disk_is_refused_before_a_byte_is_copied(given, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(intake.shutil, "disk_usage", lambda _: usage(10, 10, 3))
    with pytest.raises(StorageError, match=r"given: 1 file of 0 MB; 0 MB free .* Free some space"):
        storage.bring(str(given), tmp_path / "here")
    assert [path.name for path in tmp_path.iterdir()] == ["given"]


def test_too_many_files_are_too_many(given, tmp_path, monkeypatch):
    monkeypatch.setattr(intake, "MAX_FILES", 3)
    for number in range(5):
        (given / f"{number}.wav").touch()
    with pytest.raises(BadInput, match=r"given: more than 3 files"):
        storage.bring(str(given), tmp_path / "here")


def zipped(path: Path, size: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("silence.wav", "w") as member:
        for _ in range(size >> 20):
            member.write(bytes(1 << 20))
    return path


def tarred(path: Path, size: int) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("silence.wav")
        member.size = size
        archive.addfile(member, io.BytesIO(bytes(size)))
    return path


@pytest.mark.parametrize(("make", "name"), [(zipped, "bomb.zip"), (tarred, "bomb.tar.gz")])
def test_an_archive_that_grows_a_thousandfold_is_refused_and_leaves_nothing(make, name, tmp_path):
    archive = make(tmp_path / name, 160 << 20)
    assert archive.stat().st_size < 1 << 20
    with pytest.raises(BadInput, match=rf"{name}: .* MB out of .* Do not use it"):
        storage.bring(str(archive), tmp_path / "here")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_small_archive_may_be_packed_as_tightly_as_it_likes(tmp_path):
    storage.bring(str(zipped(tmp_path / "quiet.zip", 8 << 20)), tmp_path / "here")
    assert held(tmp_path / "here") > 8 << 20


@pytest.mark.parametrize("names", [("a", "a/b"), ("x" * 300,), ("nul\0l",), ("../out",), ("/out",)])
def test_an_archive_of_impossible_names_is_refused_by_name(names, tmp_path):
    with tarfile.open(tmp_path / "odd.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    if "\0" in names[0]:
        pytest.skip("a tar ends its names there")
    with pytest.raises(BadInput, match=r"odd\.tar: a file in it is called"):
        storage.bring(str(tmp_path / "odd.tar"), tmp_path / "here")
    assert [path.name for path in tmp_path.iterdir()] == ["odd.tar"]


@pytest.mark.parametrize("words", [["make-drums", "--song", ""], ["fetch-dataset", "--source", " "]])
def test_an_empty_value_is_refused_at_its_flag(words, capsys):
    assert cli.main(["run", *words]) == 1
    said = capsys.readouterr().err
    assert f"argument {words[1]}: it is empty" in said
    assert said.count("\n") == 1


def test_nothing_is_not_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match="empty"):
        storage.bring("", tmp_path / "here")


def test_a_refused_song_leaves_nothing_of_itself_in_the_runs(given, home, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("JAMFLOW_TRACKING_URI", "off")
    (given / "deep" / "song.wav").unlink()
    (given / "large.txt").write_bytes(bytes(3_000_000))
    assert cli.main(["run", "gather-songs", "--song", str(given)]) == 1
    said = capsys.readouterr().err
    assert f"{given}: no audio in this folder" in said
    assert held(home / "runs") < 200_000


def test_a_song_that_holds_none_is_named_as_its_owner_named_it(tmp_path):
    (tmp_path / "notes.txt").write_text("la la")
    with pytest.raises(BadAudio, match=rf"^{tmp_path}/notes.txt: no audio") as caught:
        gather(str(tmp_path / "notes.txt"), str(tmp_path / "songs"), separation=True, seed=0)
    assert "mixes" not in str(caught.value)
    assert isinstance(caught.value, JamflowError)
