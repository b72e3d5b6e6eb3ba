"""A long file is read part by part: every frame once as a beginning, overlaps alike, lies found out."""

import shutil
import subprocess
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.music.audio import Audio, read_audio, read_parts, write_audio, write_parts
from models.music.errors import BadAudio


@pytest.mark.parametrize("seconds", [0.5, 1.0, 1.2, 2.0, 3.7])
def test_parts_begin_at_every_step_and_hold_the_file(tmp_path, seconds: float):
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, (2, round(seconds * 8000))).astype(np.float32)
    path = write_audio(tmp_path / "long.wav", Audio(sound, 8000), subtype="FLOAT")
    parts = list(read_parts(path, part_s=1.0, overlap_s=0.25))
    assert [start_s for start_s, _ in parts] == [float(n) for n in range(len(parts))]
    assert len(parts) == -(-sound.shape[1] // 8000)
    np.testing.assert_array_equal(np.concatenate([part.samples[:, :8000] for _, part in parts], 1), sound)
    for start_s, part in parts:
        first = round(start_s * 8000)
        np.testing.assert_array_equal(part.samples, sound[:, first : first + 10_000])


def test_a_cut_off_file_is_found_out_in_parts_too(tmp_path):
    path = write_audio(tmp_path / "long.wav", Audio(np.full((1, 24_000), 0.1, np.float32), 8000))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadAudio, match="cut off"):
        list(read_parts(path, 1.0, 0.25))


needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="m4a is read through ffmpeg")


def m4a(tmp_path: Path, seconds: float) -> Path:
    """Let ffmpeg make a real one, its table of contents in front so that half of it still opens."""
    made = tmp_path / f"{seconds}.m4a"
    source = ["-f", "lavfi", "-i", f"sine=f=220:d={seconds}", "-ar", "44100", "-movflags", "+faststart"]
    subprocess.run(["ffmpeg", "-v", "error", *source, made], check=True)
    return made


@needs_ffmpeg
def test_a_file_read_through_ffmpeg_comes_in_parts_too(tmp_path):
    path = m4a(tmp_path, 2.5)
    whole, parts = read_audio(path), list(read_parts(path, 1.0, 0.25))
    assert [start_s for start_s, _ in parts] == [0.0, 1.0, 2.0]
    assert [part.frames for _, part in parts[:2]] == [55_125, 55_125]
    np.testing.assert_array_equal(np.concatenate([part.samples[:, :44_100] for _, part in parts], 1), whole.samples)
    assert whole.seconds == pytest.approx(2.5, abs=0.1)


@needs_ffmpeg
def test_a_file_read_through_ffmpeg_is_never_held_whole(tmp_path):
    path = m4a(tmp_path, 150)
    tracemalloc.start()
    heard_s = sum(part.seconds for _, part in read_parts(path, 2.0, 0.0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert heard_s == pytest.approx(150, abs=0.1)
    assert peak < 12 * 2**20 < 150 * 44_100 * 2 * 4 / 4


@needs_ffmpeg
def test_a_file_cut_off_under_ffmpeg_and_one_left_early_end_cleanly(tmp_path):
    path = m4a(tmp_path, 60)
    next(read_parts(path, 1.0, 0.0))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadAudio, match=r"60\.m4a: cut off"):
        list(read_parts(path, 1.0, 0.0))


@needs_ffmpeg
def test_a_file_read_through_ffmpeg_has_a_limit_too(tmp_path):
    with pytest.raises(BadAudio, match=r"too long; at most 0\.5 minutes"):
        read_audio(m4a(tmp_path, 60), max_seconds=30)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_parts_become_one_whole_file(tmp_path, suffix: str):
    sound = Audio(np.random.default_rng(0).uniform(-0.5, 0.5, (2, 20_000)).astype(np.float32), 8000)
    parts = (Audio(sound.samples[:, start : start + 3_000], 8000) for start in range(0, 20_000, 3_000))
    path = write_parts(tmp_path / f"parts{suffix}", parts)
    assert path.read_bytes() == write_audio(tmp_path / f"whole{suffix}", sound).read_bytes()


def test_parts_that_end_in_trouble_leave_no_file(tmp_path):
    def broken() -> Iterator[Audio]:
        yield Audio(np.zeros((1, 800), np.float32), 8000)
        raise BadAudio("song.wav: cut off")

    mixed = [Audio(np.zeros((channels, 800), np.float32), 8000) for channels in (1, 2)]
    for parts, said in ((broken(), "cut off"), (mixed, "other channels"), ([], "not one part")):
        with pytest.raises(BadAudio, match=said):
            write_parts(tmp_path / "out.wav", parts)
    assert list(tmp_path.iterdir()) == []
