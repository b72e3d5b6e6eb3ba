"""Fault 8: a training that is killed outright, again and again, ends where one that nobody touched ends.

So does one that was told to stop, once or twice, and one whose disk was full for a while (fault 12).
"""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LEARNING = Path(__file__).resolve().parents[1] / "models" / "learning"
TRAIN = """
import resource, signal, sys, time
sys.path.insert(0, sys.argv[1])
from test_training import Line, TrainingPlan, train
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder, save_every, trouble = sys.argv[2], int(sys.argv[3]), sys.argv[4]

class Troubled(Line):
    def batch(self, step, generator):
        print(step, flush=True)
        if step == 12 and trouble == "full disk":
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        if step == 12 and trouble == "long step":
            time.sleep(60)
        return super().batch(step, generator)

plan = TrainingPlan(steps=400, learning_rate=0.02, ema_decay=0.9, validate_every=100, save_every=save_every)
print(train(Troubled(), plan, folder).history[-1])
"""


def start(folder, save_every=5, trouble=""):
    command = [sys.executable, "-c", TRAIN, str(LEARNING), str(folder), str(save_every), trouble]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end_of(process):
    said, complaint = process.communicate(timeout=60)
    return (said.splitlines() or [""])[-1], complaint


def steps_in(folder):
    return [int(state.name.removeprefix("step-")) for state in sorted(folder.glob("step-*"))]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """How the training ends that nobody touches."""
    last, complaint = end_of(start(tmp_path_factory.mktemp("whole")))
    assert "'loss'" in last, complaint
    return last


@pytest.mark.slow
def test_a_training_killed_while_it_saves_ends_as_if_nobody_had_touched_it(whole, tmp_path):
    for _ in range(3):  # it saves every five steps: whenever it is killed, it was just saving or about to
        process = start(tmp_path)
        before = len(steps_in(tmp_path))
        end = time.monotonic() + 30
        while len(steps_in(tmp_path)) <= min(before, 1) and time.monotonic() < end:
            time.sleep(0.01)
        process.kill()
        process.communicate()
    assert end_of(start(tmp_path))[0] == whole
    assert not list(tmp_path.glob(".*")), "what was left half written is swept up"


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 1), (signal.SIGTERM, 128 + signal.SIGTERM)])
def test_a_training_told_to_stop_saves_the_step_it_was_at(number, code, whole, tmp_path):
    process = start(tmp_path, save_every=390)
    while process.stdout and process.stdout.readline() != "5\n":
        pass
    process.send_signal(number)
    _, complaint = end_of(process)
    assert process.returncode == code
    assert "stopping after this step" in complaint
    (step,) = steps_in(tmp_path)
    assert 5 < step < 390
    assert end_of(start(tmp_path, save_every=390))[0] == whole


@pytest.mark.slow
def test_told_twice_it_stops_at_once_and_goes_on_from_its_last_checkpoint(whole, tmp_path):
    process = start(tmp_path, trouble="long step")
    while process.stdout and process.stdout.readline() != "12\n":
        pass
    time.sleep(0.2)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None, "once is not twice: the step may end"
    process.send_signal(signal.SIGINT)
    _, complaint = end_of(process)
    assert time.monotonic() - began < 30
    assert "KeyboardInterrupt" in complaint
    assert steps_in(tmp_path) == [5, 10]
    assert end_of(start(tmp_path))[0] == whole


@pytest.mark.slow
def test_a_full_disk_ends_a_training_in_a_line_and_it_goes_on_when_there_is_room(whole, tmp_path):
    process = start(tmp_path, trouble="full disk")
    _, complaint = end_of(process)
    assert process.returncode == 1
    assert "step-00000015: not written" in complaint.splitlines()[-1]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["step-00000005", "step-00000010"]
    assert end_of(start(tmp_path))[0] == whole
