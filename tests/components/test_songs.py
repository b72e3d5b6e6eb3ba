"""Songs are brought together, taken apart one by one and collected."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import models.separation.htdemucs as htdemucs
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


def test_drums_are_taken_as_they_are_and_collected_where_they_lay(songs: Path, tmp_path: Path):
    stems = []
    for name in gather(str(songs), str(tmp_path / "songs-here"), separation=False, seed=0):
        stems.append(str(tmp_path / f"stem{len(stems)}"))
        assert take(str(tmp_path / "songs-here"), name, stems[-1], "htdemucs", False) == 1
    assert collect(stems, str(tmp_path / "drums")) == 2
    for name in ("one.wav", "live/two.flac"):
        assert (tmp_path / "drums" / name).read_bytes() == (songs / name).read_bytes()


@dataclasses.dataclass
class Separator:
    """Halves a song instead of separating it."""

    @classmethod
    def load(cls, model: str) -> Separator:
        assert model == "mine"
        return cls()

    def drums(self, song: Audio) -> Audio:
        return Audio(song.samples * np.float32(0.5), song.rate_hz)


def test_each_song_is_separated_by_itself(songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(htdemucs, "HTDemucs", Separator)
    stems = []
    for name in gather(str(songs), str(tmp_path / "songs-here"), separation=True, seed=0):
        stems.append(str(tmp_path / f"stem{len(stems)}"))
        assert take(str(tmp_path / "songs-here"), name, stems[-1], "mine", False) == 1
    collect(stems, str(tmp_path / "drums"))
    assert read_audio(tmp_path / "drums" / "one.wav").peak == pytest.approx(0.05, abs=1e-4)
    assert read_audio(tmp_path / "drums" / "live" / "two.flac.wav").peak == pytest.approx(0.05, abs=1e-4)


def test_a_broken_song_is_left_out_only_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(htdemucs, "HTDemucs", Separator)
    (tmp_path / "songs" / "mixes").mkdir(parents=True)
    (tmp_path / "songs" / "mixes" / "broken.wav").write_bytes(b"RIFF")
    with pytest.raises(BadAudio, match="broken"):
        take(str(tmp_path / "songs"), "mixes/broken.wav", str(tmp_path / "a"), "mine", False)
    assert take(str(tmp_path / "songs"), "mixes/broken.wav", str(tmp_path / "b"), "mine", True) == 0
    assert list((tmp_path / "b").iterdir()) == []


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
