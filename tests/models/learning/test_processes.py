"""Two real processes that torchrun starts, joined by gloo."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.learning import launch
from models.music.files import read_json


def torchrun(*settings: str) -> subprocess.CompletedProcess:
    """Teach tests/models/learning/pair.py on two processes."""
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "models.learning.launch"]
    here, root = Path(__file__).parent, Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{here}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *start, "pair:teach", *settings]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)


def of_both(folder: Path) -> list[dict]:
    return [read_json(folder / f"{rank}.json") for rank in (0, 1)]


@pytest.mark.slow
def test_two_processes_end_with_the_same_weights_also_when_one_of_them_was_told_to_stop_in_between(tmp_path):
    ended = torchrun(f"out={tmp_path / 'whole'}", "--events", str(tmp_path / "events"))
    assert ended.returncode == 0, ended.stderr
    first, second = of_both(tmp_path / "whole")
    assert first == second
    assert len(list((tmp_path / "events").iterdir())) == 1

    assert torchrun(f"out={tmp_path / 'twice'}", "interrupt=true").returncode != 0
    assert [folder.name for folder in sorted((tmp_path / "twice" / "work").iterdir())][-1] == "step-00000038"
    assert torchrun(f"out={tmp_path / 'twice'}").returncode == 0
    assert of_both(tmp_path / "twice") == [first, first]


@pytest.mark.slow
def test_the_first_process_judges_for_all_and_they_stop_together(tmp_path):
    ended = torchrun(f"out={tmp_path}", "patience=2")
    assert ended.returncode == 0, ended.stderr
    assert [told["steps"] for told in of_both(tmp_path)] == [15, 15]


def test_without_torchrun_one_process_teaches_alone(tmp_path, monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    assert launch.main(["pair:teach", f"out={tmp_path}", "patience=1"]) == 0
    assert read_json(tmp_path / "0.json")["steps"] == 10


def test_a_wrong_word_to_the_launcher_is_told_its_neighbour(capsys):
    assert launch.main(["models.groove.train:teach", "corpsu=x"]) == 1
    assert "corpsu=x: write name=value; did you mean 'corpus'" in capsys.readouterr().err
    assert launch.main(["models.groove:no_such", "out=x"]) == 1
    assert "Write module:function" in capsys.readouterr().err
