"""From a song to a release, every stage a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from components.drum_stems import PRACTICE_BARS
from models.drums.events import read_beat
from models.drums.kit import read_kit
from models.drums.notation import read_beat_midi
from models.music.audio import read_audio, write_audio
from models.music.files import read_json
from models.practice.songs import compose

ROOT = Path(__file__).resolve().parents[2]


def practice_tempo(seed: int) -> float:
    """The tempo of the song that make-drums plays to itself."""
    return compose(np.random.default_rng(seed), bars=PRACTICE_BARS).grid.tempo_bpm


@pytest.mark.slow
def test_without_a_song_the_practice_room_plays_one_and_everything_opens(tmp_path: Path, home: Path):
    command = [
        sys.executable,
        "-m",
        "pipelines.cli",
        "run",
        "make-drums",
        "--out-dir",
        str(tmp_path / "out"),
        "--plain",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    kit = read_kit(out / "pools_1.json")
    assert {"CORE", "ACCENT", "MOTION"} <= {piece.role for piece in kit.pieces}
    rows = [
        row for name, pool in json.loads((out / "pools_1.json").read_text()).items() if name != "counts" for row in pool
    ]
    assert all(Path(row["filepath"]).name == row["filepath"] for row in rows)
    skeleton = read_beat(out / "grid_1.json", out / "event_grid_1.json")
    groove = read_beat(out / "grid_1.json", out / "event_grid_groovae_1.json")
    assert len(groove) == len(skeleton)
    assert any(event.micro_offset_ms for event in groove.events)
    for name, beat in (("render_1", skeleton), ("render_groovae_1", groove)):
        assert read_beat_midi(out / f"{name}.mid").events == beat.events
        assert read_audio(out / f"{name}.wav").peak > 0.1
    heard = read_json(out / "tempo_1.json")
    assert heard["bpm"] == skeleton.grid.tempo_bpm == pytest.approx(practice_tempo(seed=42), rel=0.01)
    assert heard["said"] in done.stdout
    [report] = (home / "runs").glob("make-drums-*/report.html")
    assert report.read_text().count("<audio") >= 2


def test_a_given_tempo_is_kept_and_one_nobody_plays_is_one_line(tmp_path: Path, home: Path):
    song = compose(np.random.default_rng(1), bars=2)
    drums = write_audio(tmp_path / "drums.wav", song.stems["drums"])
    command = [sys.executable, "-m", "pipelines.cli", "run", "find-tempo", "--drums", str(drums), "--plain", "--bpm"]
    kept = subprocess.run([*command, "97.5"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert "tempo 97.5 bpm, as told" in kept.stdout, kept.stderr
    assert "97.5" in kept.stdout.split("note")[0]
    refused = subprocess.run([*command, "500"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    [line] = [line for line in refused.stderr.splitlines() if line.startswith("jamflow:")]
    assert "bpm is 500; give auto, or 20 to 400 (try 96)." in line


def test_a_song_that_is_not_there_is_one_line(tmp_path: Path, home: Path):
    command = [sys.executable, "-m", "pipelines.cli", "run", "make-drums", "--song", "nowhere.wav", "--plain"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    [line] = [line for line in done.stderr.splitlines() if line.startswith("jamflow:")]
    assert "nowhere.wav" in line
