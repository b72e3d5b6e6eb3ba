"""MIDI becomes role samples in one command, and the practice room fills in where there is none."""

import os
import subprocess
import sys
from pathlib import Path

from models.jam.roles import SPLITS, read_roles

ROOT = Path(__file__).resolve().parents[2]


def test_practice_solos_become_roles_in_one_command(tmp_path):
    command = [sys.executable, "-m", "pipelines.cli", "run", "prepare-roles", "--plain", "--midi", "practice:9"]
    command += ["--transpose", "1", "--out-dir", str(tmp_path / "roles")]
    environment = {**os.environ, "JAMFLOW_HOME": str(tmp_path / "home")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "samples" in done.stdout
    roles = read_roles(tmp_path / "roles")
    assert {sample.style for sample in roles.samples} == {"swing", "blues", "bossa"}
    assert [len(roles[split]) for split in SPLITS] == [15, 2, 2]
