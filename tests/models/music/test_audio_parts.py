"""A long file is read part by part: every frame once as a beginning, overlaps alike, lies found out."""

import shutil
import subprocess

import numpy as np
import pytest

from models.music.audio import Audio, read_parts, write_audio
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


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="m4a is read through ffmpeg")
def test_a_file_read_through_ffmpeg_comes_in_parts_too(tmp_path):
    sound = write_audio(tmp_path / "song.wav", Audio(np.full((1, 110_250), 0.1, np.float32), 44_100))
    subprocess.run(["ffmpeg", "-v", "error", "-i", sound, tmp_path / "song.m4a"], check=True)
    parts = list(read_parts(tmp_path / "song.m4a", 1.0, 0.25))
    assert [start_s for start_s, _ in parts] == [0.0, 1.0, 2.0]
    assert [part.frames for _, part in parts[:2]] == [55_125, 55_125]
