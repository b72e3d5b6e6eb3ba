"""What a message says is true: the reason, the place and the way out."""

import errno
import os

import numpy as np
import pytest

from models.music.audio import Audio, read_audio, write_audio
from models.music.errors import BadAudio, StorageError
from models.music.files import whole_file, whole_folder
from pipelines import cli


def test_a_sound_beyond_all_measure_is_not_called_silent(tmp_path):
    import soundfile

    loud = np.zeros(44_100, np.float32)
    loud[100:2000] = 1e30
    soundfile.write(tmp_path / "loud.wav", loud, 44_100, subtype="FLOAT")
    with pytest.raises(BadAudio, match=r"loud\.wav: peak 1e\+30; .* Export it again"):
        read_audio(tmp_path / "loud.wav")
    assert Audio(np.full((1, 10), 32768.0, np.float32), 44_100).peak == 32768.0


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.ENOSPC, "Free some space or choose another folder."),
        (errno.EDQUOT, "Free some space or choose another folder."),
        (errno.EROFS, "Choose a folder that you may write to."),
        (errno.EACCES, "Choose a folder that you may write to."),
        (errno.ENAMETOOLONG, "Choose a shorter name."),
        (errno.ENOTDIR, "Choose another place."),
    ],
)
def test_what_was_not_written_tells_the_way_out_of_its_own_trouble(tmp_path, number, way_out):
    with pytest.raises(StorageError) as caught, whole_file(tmp_path / "take.wav"):
        raise OSError(number, os.strerror(number))
    assert str(caught.value).endswith(way_out)
    assert ("MB free" in str(caught.value)) == ("space" in way_out)


def test_a_folder_that_is_there_already_is_not_told_to_free_space(tmp_path):
    (tmp_path / "kit").mkdir()
    (tmp_path / "kit" / "mine.txt").touch()
    there = pytest.raises(StorageError, match=r"kit: not written \(.*\)\. Something of that name is there")
    with there as caught, whole_folder(tmp_path / "kit") as part:
        (part / "a.txt").touch()
    assert "space" not in str(caught.value)
    assert (tmp_path / "kit" / "mine.txt").is_file()


@pytest.mark.parametrize("words", [["run", "fetch-dataset", "--source", "."], ["status"], ["clean"]])
def test_a_home_that_cannot_be_written_ends_in_one_line_or_in_nothing_to_tell(words, capsys, monkeypatch):
    monkeypatch.setenv("JAMFLOW_HOME", "/proc/jamflow")
    code = cli.main(words)
    said = capsys.readouterr().err
    assert "Traceback" not in said
    if words[0] == "run":
        assert code == 1
        assert "/proc/jamflow" in said
        assert "JAMFLOW_HOME" in said
    assert said.count("\n") == code


def test_a_song_without_drums_is_not_named_by_a_folder_that_nobody_knows(tmp_path, capsys, monkeypatch, home):
    monkeypatch.setenv("JAMFLOW_TRACKING_URI", "off")
    write_audio(tmp_path / "silence.wav", Audio(np.zeros((1, 44_100), np.float32), 44_100))
    words = ["run", "make-drums", "--song", str(tmp_path / "silence.wav"), "--no-separation", "--bpm", "100"]
    assert cli.main(words) == 1
    said = capsys.readouterr().err
    assert said.startswith("jamflow: preprocess: song: no drum hit in 1 files. Is it silent?")
    assert str(home) not in said.partition("[log:")[0]
