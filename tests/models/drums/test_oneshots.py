"""A song or a folder becomes dummy_00001.wav … and an index, or one line."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.drums.oneshots import HarvestConfig, gather_oneshots
from models.music.audio import Audio, read_audio, read_parts, write_audio
from models.music.errors import BadAudio
from models.music.files import check_folder, read_json
from models.practice.drum_sounds import synthesise

RATE_HZ = 44_100


def beat(
    times_s: list[float], seconds: float, kinds: tuple[str, ...] = ("kick", "snare"), rate_hz: int = RATE_HZ
) -> Audio:
    sound = np.zeros(round(seconds * rate_hz), np.float32)
    shots = [synthesise(kind, np.random.default_rng(n), rate_hz).samples[0] for n, kind in enumerate(kinds)]
    for n, time_s in enumerate(times_s):
        shot, first = 0.6 * shots[n % len(kinds)], round(time_s * rate_hz)
        sound[first : first + len(shot)] += shot[: len(sound) - first]
    return Audio(sound, rate_hz)


def test_a_beat_becomes_its_drums(tmp_path):
    write_audio(tmp_path / "beat.wav", beat([0.5, 1.5, 2.5, 3.5, 4.5, 5.5], 6.5))
    harvest = gather_oneshots(tmp_path / "beat.wav", tmp_path / "hits")
    assert (harvest.hits, harvest.heard) == (2, 6)
    index = read_json(harvest.index)
    assert [entry["file"] for entry in index["hits"]] == ["dummy_00001.wav", "dummy_00002.wav"]
    assert [entry["stands_for"] for entry in index["hits"]] == [3, 3]
    for entry in index["hits"]:
        places = [entry["time_s"], *(other["time_s"] for other in entry["duplicates"])]
        assert {entry["source"]} == {"beat.wav"}
        assert np.allclose(np.diff(sorted(places)), 2.0, atol=0.002)
        assert read_audio(harvest.folder / entry["file"]).peak == pytest.approx(0.95, abs=1e-3)
    assert harvest.picture.stat().st_size > 1000
    check_folder(harvest.folder)


def test_a_tree_is_read_and_one_drum_in_two_files_is_one(tmp_path):
    write_audio(tmp_path / "songs/a.wav", beat([0.5], 1.5))
    write_audio(tmp_path / "songs/deep/er/b.flac", beat([0.25], 1.5))
    harvest = gather_oneshots(tmp_path / "songs", tmp_path / "hits")
    (entry,) = read_json(harvest.index)["hits"]
    assert {entry["source"], entry["duplicates"][0]["source"]} == {"a.wav", "deep/er/b.flac"}


def test_a_bad_file_stops_with_a_line_or_is_left_out(tmp_path):
    write_audio(tmp_path / "songs/good.wav", beat([0.5], 1.5))
    (tmp_path / "songs/bad.wav").write_text("not a sound")
    with pytest.raises(BadAudio, match=r"bad\.wav: not readable as audio"):
        gather_oneshots(tmp_path / "songs", tmp_path / "hits")
    assert not (tmp_path / "hits").exists()
    harvest = gather_oneshots(tmp_path / "songs", tmp_path / "hits", config=HarvestConfig(skip_bad=True))
    assert harvest.hits == 1
    assert "bad.wav" in read_json(harvest.index)["skipped"][0]


def test_silence_and_a_folder_without_audio_end_in_a_line(tmp_path):
    write_audio(tmp_path / "silence.wav", Audio(np.zeros((2, RATE_HZ), np.float32), RATE_HZ))
    with pytest.raises(BadAudio, match="no drum hit in 1 file"):
        gather_oneshots(tmp_path / "silence.wav", tmp_path / "hits")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadAudio, match="no audio in this folder"):
        gather_oneshots(tmp_path / "empty", tmp_path / "hits")
    assert not (tmp_path / "hits").exists()


def test_one_hit_at_8_khz_mono_is_a_library_of_one(tmp_path):
    write_audio(tmp_path / "one.wav", beat([0.2], 0.8, rate_hz=8000))
    harvest = gather_oneshots(tmp_path / "one.wav", tmp_path / "hits")
    sound = read_audio(harvest.folder / "dummy_00001.wav")
    assert (harvest.hits, sound.rate_hz, sound.channels) == (1, 8000, 1)


def test_what_reads_the_files_is_an_argument(tmp_path):
    """Left is drums, right is a tone: the reader keeps the left."""
    drums = beat([0.5, 1.5], 2.5).samples[0]
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(len(drums)) / RATE_HZ)
    write_audio(tmp_path / "song.wav", Audio(np.stack([drums, tone]).astype(np.float32), RATE_HZ))

    def keep_left(path: Path, part_s: float, overlap_s: float) -> Iterator[tuple[float, Audio]]:
        for start_s, part in read_parts(path, part_s, overlap_s):
            yield start_s, Audio(part.samples[:1], part.rate_hz, part.label)

    harvest = gather_oneshots(tmp_path / "song.wav", tmp_path / "hits", read=keep_left)
    assert (harvest.hits, harvest.heard) == (2, 2)
    assert read_audio(harvest.folder / "dummy_00001.wav").channels == 1


def test_one_shots_are_taken_whole(tmp_path):
    write_audio(tmp_path / "pack/flam.wav", beat([0.1, 0.2], 1.0, kinds=("snare",)))
    cut = gather_oneshots(tmp_path / "pack", tmp_path / "cut")
    whole = gather_oneshots(tmp_path / "pack", tmp_path / "whole", config=HarvestConfig(one_shots=True))
    assert cut.heard == 2
    assert whole.heard == 1


def test_parts_of_a_long_file_lose_and_double_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("models.drums.oneshots.PART_S", 4.0)
    times_s = [0.5 + 0.5 * n for n in range(40)]
    write_audio(tmp_path / "long.wav", beat(times_s, 21.0))
    harvest = gather_oneshots(tmp_path / "long.wav", tmp_path / "hits")
    index = read_json(harvest.index)
    heard_s = sorted(p["time_s"] for entry in index["hits"] for p in (entry, *entry["duplicates"]))
    np.testing.assert_allclose(heard_s, times_s, atol=0.002)


def test_only_the_most_heard_are_kept_when_asked(tmp_path):
    write_audio(tmp_path / "beat.wav", beat([0.5, 1.5, 2.5], 3.5))
    harvest = gather_oneshots(tmp_path / "beat.wav", tmp_path / "hits", config=HarvestConfig(max_hits=1))
    assert (harvest.hits, harvest.heard) == (1, 2)


def test_a_cut_off_file_is_refused(tmp_path):
    path = write_audio(tmp_path / "song.wav", beat([0.5], 2.0))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert soundfile.info(path).frames > 0
    with pytest.raises(BadAudio, match="cut off"):
        gather_oneshots(path, tmp_path / "hits")
