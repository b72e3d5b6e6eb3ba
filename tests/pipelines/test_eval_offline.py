"""Lines in a folder are judged beside people and baselines in one command."""

import os
import subprocess
import sys
from pathlib import Path

from models.jam.prepare import Preparing, prepare
from models.music.files import read_json
from models.music.midi import write_midi
from models.practice.solos import write_solos

ROOT = Path(__file__).resolve().parents[2]


def test_lines_are_judged_in_one_command(tmp_path):
    roles = prepare(write_solos(tmp_path / "midi", 9), tmp_path / "roles", Preparing(processes=1))
    for sample in roles["test"]:
        write_midi(tmp_path / "mine" / f"{sample.sample_id}.mid", sample.lead)
    command = [sys.executable, "-m", "pipelines.cli", "run", "eval-offline", "--plain", "--bars", "8"]
    command += [
        "--roles",
        str(tmp_path / "roles"),
        "--played",
        str(tmp_path / "mine"),
        "--out-dir",
        str(tmp_path / "out"),
    ]
    environment = {**os.environ, "JAMFLOW_HOME": str(tmp_path / "home")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "dead air" in done.stdout
    assert read_json(tmp_path / "out/metrics.json")["silence_distance"] < 1e-6
    assert (tmp_path / "out/players.png").is_file()
