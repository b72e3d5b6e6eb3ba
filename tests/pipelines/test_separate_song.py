"""A folder of songs becomes a folder of stems, each as its song was; what is done is not done again."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from halver import tiny_htdemucs

from models.music.audio import Audio, read_audio, write_audio

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return tiny_htdemucs(tmp_path_factory.mktemp("model"))


def test_songs_become_stems_and_stay_done(tmp_path, model):
    for number, (name, channels, depth) in enumerate([("one.wav", 1, "PCM_16"), ("live/two.flac", 2, "PCM_24")]):
        samples = np.random.default_rng(number).uniform(-0.4, 0.4, (channels, 22_050)).astype(np.float32)
        (tmp_path / "songs" / name).parent.mkdir(parents=True, exist_ok=True)
        write_audio(tmp_path / "songs" / name, Audio(samples, 22_050), subtype=depth)
    command = [sys.executable, "-m", "pipelines.cli", "run", "separate-song", "--plain", "--two-stems", "vocals"]
    command += ["--song", str(tmp_path / "songs"), "--model", str(model), "--out-dir", str(tmp_path / "out")]
    environment = {**os.environ, "JAMFLOW_HOME": str(tmp_path / "home")}

    def separate() -> str:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "wrote" in separate()
    for name in ("one", "live/two"):
        [song] = (tmp_path / "songs").glob(f"{name}.*")
        vocals, rest = (tmp_path / "out" / name / f"{stem}{song.suffix}" for stem in ("vocals", "no_vocals"))
        given, made = soundfile.info(str(song)), soundfile.info(str(vocals))
        assert (made.frames, made.channels, made.subtype) == (given.frames, given.channels, given.subtype)
        np.testing.assert_allclose(
            read_audio(vocals).samples + read_audio(rest).samples, read_audio(song).samples, atol=1e-4
        )
    assert separate().count("cached") == 4
