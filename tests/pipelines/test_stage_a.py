"""Stage A, as it is typed on a rented machine: the whole path in one command, and again, and what is wrong said first."""

import os
import subprocess
from pathlib import Path

import pytest

from models.music.files import read_json
from models.music.midi import read_midi
from pipelines.settings import Profile
from serving.registry import CHAMPION, Registry

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "runpod_train_stage_a.sh"


def stage_a(*words, **environment):
    told = {**os.environ, **{name: str(value) for name, value in environment.items()}}
    return subprocess.run([SCRIPT, *words], capture_output=True, text=True, env=told, check=False)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_dry_run_goes_all_the_way_and_another_changes_nothing(home, tmp_path):
    done = stage_a("--dry-run", OUT=tmp_path / "out", JAMFLOW_HOME=home)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "stage a: done" in done.stdout
    registry = Registry.at(Profile.load().where)
    assert registry.alias("jam", CHAMPION) in registry.versions("jam")
    solos = sorted((tmp_path / "out" / "solos").glob("*.mid"))
    assert [solo.stem.rpartition("-")[2] for solo in solos] == ["any", "swing"]
    assert all(len(read_midi(solo)) for solo in solos)
    assert read_json(tmp_path / "out" / "evaluation-0" / "metrics.json")["nll"] > 0

    versions = registry.versions("jam")
    again = stage_a("--dry-run", OUT=tmp_path / "out", JAMFLOW_HOME=home)
    assert again.returncode == 0, again.stdout[-3000:] + again.stderr[-3000:]
    assert "cached" in again.stdout
    assert registry.versions("jam") == versions


@pytest.mark.parametrize(
    ("words", "environment", "sentence"),
    [
        (["--dryrun"], {}, "unknown --dryrun; there is --dry-run"),
        ([], {"MIDI": ""}, "MIDI is not set; give a folder"),
        ([], {"MIDI": "/nowhere"}, "MIDI is /nowhere; there is no such file or folder"),
        (["--dry-run"], {"FREE_GB": 10**9}, "1000000000 are needed"),
        (["--dry-run"], {"JAMFLOW_BIN": "/nowhere"}, "no /nowhere/jamflow; run make setup"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_paid_for(home, tmp_path, words, environment, sentence):
    done = stage_a(*words, **{"OUT": tmp_path / "out", "JAMFLOW_HOME": home, **environment})
    assert done.returncode
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
