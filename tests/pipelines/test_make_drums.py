"""From a song to a release, every stage a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from models.drums.events import read_beat
from models.drums.kit import read_kit
from models.drums.notation import read_beat_midi
from models.music.audio import read_audio

ROOT = Path(__file__).resolve().parents[2]


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
    [report] = (home / "runs").glob("make-drums-*/report.html")
    assert report.read_text().count("<audio") >= 2


def test_a_song_that_is_not_there_is_one_line(tmp_path: Path, home: Path):
    command = [sys.executable, "-m", "pipelines.cli", "run", "make-drums", "--song", "nowhere.wav", "--plain"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    [line] = [line for line in done.stderr.splitlines() if line.startswith("jamflow:")]
    assert "nowhere.wav" in line
