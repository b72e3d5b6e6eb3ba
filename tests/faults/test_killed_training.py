"""Fault 8: a training that is killed outright, again and again, ends where one that nobody touched ends."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

LEARNING = Path(__file__).resolve().parents[1] / "models" / "learning"
TRAIN = """
import sys
sys.path.insert(0, sys.argv[1])
from test_training import Line, TrainingPlan, train
plan = TrainingPlan(steps=400, learning_rate=0.02, ema_decay=0.9, validate_every=100, save_every=5)
print(train(Line(), plan, sys.argv[2]).history[-1])
"""


def start(folder):
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN, str(LEARNING), str(folder)], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_a_training_killed_while_it_saves_ends_as_if_nobody_had_touched_it(tmp_path):
    whole, _ = start(tmp_path / "whole").communicate(timeout=60)
    for _ in range(3):  # it saves every five steps: whenever it is killed, it was just saving or about to
        process = start(tmp_path / "killed")
        before = len(list((tmp_path / "killed").glob("step-*")))
        end = time.monotonic() + 30
        while len(list((tmp_path / "killed").glob("step-*"))) <= min(before, 1) and time.monotonic() < end:
            time.sleep(0.01)
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
    resumed, _ = start(tmp_path / "killed").communicate(timeout=60)
    assert resumed == whole
    assert "'loss'" in whole
