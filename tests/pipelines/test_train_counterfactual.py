"""A folder of songs becomes a counterfactual separator that separates: taught, judged, and behind the one door."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.music.audio import write_audio
from models.music.files import read_json
from models.practice.stem_songs import stem_song

ROOT = Path(__file__).resolve().parents[2]
pytest.importorskip("torch")


@pytest.mark.slow
def test_songs_become_a_counterfactual_separator(tmp_path):
    for split in ("train", "valid", "test"):
        for stem, sound in stem_song(split, 0, seconds=1.0).items():
            write_audio(tmp_path / "songs" / split / "song" / f"{stem}.wav", sound, subtype="PCM_16")
    command = [sys.executable, "-m", "pipelines.cli", "run", "train-counterfactual", "--plain", "--preset", "tiny"]
    command += ["--data", str(tmp_path / "songs"), "--steps", "2", "--out-dir", str(tmp_path / "out")]
    environment = {**os.environ, "JAMFLOW_HOME": str(tmp_path / "home")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    [verdict] = (tmp_path / "home").rglob("evaluation/metrics.json")
    assert "usdr_vocals" in read_json(verdict)
    assert set(read_json(verdict.with_name("steps.json"))) == {"1", "5", "10", "20", "50"}
    [model] = [place for place in (tmp_path / "home").rglob("model/config.json") if "train-" in str(place)]
    assert read_json(model)["kind"] == "counterfactual"
