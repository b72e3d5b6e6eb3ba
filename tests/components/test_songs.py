"""Songs are brought together, taken apart one by one and collected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from components.drum_stems import collect, gather, take
from models.music.audio import Audio, read_audio, write_audio
from models.music.errors import BadAudio


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    for name in ("one.wav", "live/two.flac"):
        write_audio(tmp_path / "songs" / name, Audio(np.full((1, 800), 0.1), 8_000))
    return tmp_path / "songs"


def test_the_practice_song_is_drums_already(tmp_path: Path):
    assert gather("practice", str(tmp_path / "songs"), separation=True, seed=1) == ["drums/practice.wav"]
    assert read_audio(tmp_path / "songs" / "drums" / "practice.wav").seconds > 20


def test_given_songs_are_mixes_unless_told_otherwise(songs: Path, tmp_path: Path):
    assert gather(str(songs), str(tmp_path / "a"), separation=True, seed=0) == ["mixes/live/two.flac", "mixes/one.wav"]
    assert gather(str(songs / "one.wav"), str(tmp_path / "b"), separation=False, seed=0) == ["drums/one.wav"]


def test_drums_are_taken_as_they_are_and_collected_without_clashes(songs: Path, tmp_path: Path):
    names = gather(str(songs), str(tmp_path / "songs-here"), separation=False, seed=0)
    for number, name in enumerate([*names, names[0]]):
        assert take(str(tmp_path / "songs-here"), name, str(tmp_path / f"stem{number}"), "htdemucs", False) == 1
    assert collect([str(tmp_path / f"stem{number}") for number in range(3)], str(tmp_path / "drums")) == 3
    assert (tmp_path / "drums" / "song_001" / "two.flac").read_bytes() == (songs / "live" / "two.flac").read_bytes()


def test_a_folder_without_sound_is_one_line(tmp_path: Path):
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs" / "notes.txt").write_text("no sound")
    with pytest.raises(BadAudio, match="no audio"):
        gather(str(tmp_path / "songs"), str(tmp_path / "here"), separation=False, seed=0)


def test_when_nothing_could_be_read_nothing_is_collected(tmp_path: Path):
    (tmp_path / "stem").mkdir()
    with pytest.raises(BadAudio, match="none of the 1 songs"):
        collect([str(tmp_path / "stem")], str(tmp_path / "drums"))
    assert not (tmp_path / "drums").exists()
