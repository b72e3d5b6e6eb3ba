"""Songs are brought together, taken apart one by one and collected."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from backstage.tracking import recording
from components.drum_stems import collect, gather, take, take_all
from models.music.audio import AUDIO_SUFFIXES, Audio, find_audio, read_audio, write_audio
from models.music.errors import BadAudio
from models.separation import stems


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
    taken = []
    for name in gather(str(songs), str(tmp_path / "songs-here"), separation=False, seed=0):
        taken.append(str(tmp_path / f"stem{len(taken)}"))
        assert take(str(tmp_path / "songs-here"), name, taken[-1], "htdemucs", False) == 1
    assert collect(taken, str(tmp_path / "drums")) == 2
    for name in ("one.wav", "live/two.flac"):
        assert (tmp_path / "drums" / name).read_bytes() == (songs / name).read_bytes()


def test_a_song_that_is_drums_already_lies_on_the_disk_once(songs: Path, tmp_path: Path):
    work, taken = tmp_path / "work", []
    for name in gather(str(songs), str(work / "songs"), separation=False, seed=0):
        taken.append(str(work / f"stem{len(taken)}"))
        take(str(work / "songs"), name, taken[-1], "htdemucs", False)
    collect(taken, str(work / "drums"))
    sounds = [path.stat() for path in work.rglob("*") if path.suffix in AUDIO_SUFFIXES]
    assert len(sounds) == 6
    given = sum(path.stat().st_size for path in songs.rglob("*") if path.is_file())
    assert sum({stat.st_ino: stat.st_size for stat in sounds}.values()) == given


def test_without_a_network_the_starter_takes_the_drums_out_and_says_so(
    songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)
    mixes = str(tmp_path / "mixes")
    names = gather(str(songs), mixes, separation=True, seed=0)
    with recording(tmp_path / "record"):
        assert take(mixes, names[0], str(tmp_path / "stem"), "htdemucs", False) == 1
    told = "".join(file.read_text() for file in (tmp_path / "record").glob("*.json*"))
    assert "so the starter separator (" in told
    taken = read_audio(tmp_path / "stem" / "live" / "two.flac.wav")
    assert (taken.rate_hz, taken.frames) == (8_000, 800)


def test_taking_a_song_again_leaves_the_first_alone(songs: Path, tmp_path: Path):
    """A retried stage finds what the first try left; nothing may be written through a shared name."""
    gather(str(songs), str(tmp_path / "a"), separation=False, seed=0)
    write_audio(tmp_path / "b" / "drums" / "one.wav", Audio(np.full((1, 800), 0.3), 8_000))
    for source in ("a", "b", "b"):
        take(str(tmp_path / source), "drums/one.wav", str(tmp_path / "stem"), "htdemucs", False)
    assert read_audio(tmp_path / "stem" / "one.wav").peak == pytest.approx(0.3, abs=1e-4)
    assert read_audio(tmp_path / "a" / "drums" / "one.wav").peak == pytest.approx(0.1, abs=1e-4)


class Halver:
    """Halves a song instead of separating it."""

    stems, rate_hz, channels = ("drums",), 8_000, 1

    def parts(self, song: Iterator[np.ndarray], middle: float, spread: float) -> Iterator[np.ndarray]:
        return (piece[None] / 2 for piece in song)


@pytest.fixture
def halving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put an engine of our own behind the door."""
    monkeypatch.setattr(stems, "ENGINES", {"htdemucs": lambda _: Halver()})


@pytest.mark.usefixtures("halving")
def test_each_song_is_separated_by_itself(songs: Path, tmp_path: Path):
    taken = []
    for name in gather(str(songs), str(tmp_path / "songs-here"), separation=True, seed=0):
        taken.append(str(tmp_path / f"stem{len(taken)}"))
        assert take(str(tmp_path / "songs-here"), name, taken[-1], "mine", False) == 1
    collect(taken, str(tmp_path / "drums"))
    assert read_audio(tmp_path / "drums" / "one.wav").peak == pytest.approx(0.05, abs=1e-4)
    assert read_audio(tmp_path / "drums" / "live" / "two.flac.wav").peak == pytest.approx(0.05, abs=1e-4)


@pytest.mark.usefixtures("halving")
def test_a_broken_song_is_left_out_only_when_asked(tmp_path: Path):
    (tmp_path / "songs" / "mixes").mkdir(parents=True)
    (tmp_path / "songs" / "mixes" / "broken.wav").write_bytes(b"RIFF")
    with pytest.raises(BadAudio, match="broken"):
        take(str(tmp_path / "songs"), "mixes/broken.wav", str(tmp_path / "a"), "mine", False)
    assert take(str(tmp_path / "songs"), "mixes/broken.wav", str(tmp_path / "b"), "mine", True) == 0
    assert list((tmp_path / "b").iterdir()) == []


@pytest.mark.usefixtures("halving")
def test_a_folder_of_songs_becomes_a_folder_of_drums(songs: Path, tmp_path: Path):
    (songs / "broken.mp3").write_text("not a sound")
    with pytest.raises(BadAudio, match=r"broken\.mp3"):
        take_all(str(songs), str(tmp_path / "drums"), "mine", False)
    assert not (tmp_path / "drums").exists()
    assert take_all(str(songs), str(tmp_path / "drums"), "mine", True) == 2
    assert [path.name for path in find_audio(tmp_path / "drums")] == ["two.flac.wav", "one.wav"]


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
