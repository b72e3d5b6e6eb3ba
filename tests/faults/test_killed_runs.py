"""A run that is killed outright takes its stages with it, leaves nothing large, and can be run again at once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backstage.checkpoints import in_use
from models.music.errors import StorageError
from pipelines.kfp_local import RUNNER, sweep_containers

ROOT = Path(__file__).resolve().parents[2]
LESSON = '''
import sys
from kfp import dsl
from kfp.dsl import Dataset, Output
from backstage.stage import stage
from pipelines.runner import run
from pipelines.settings import Profile


@stage(image="python-ops", cached=False)
def practise(work: str, patience: int, take: Output[Dataset]) -> str:
    """Practise in a folder of one's own."""
    import os, subprocess, tempfile, time
    from pathlib import Path
    from backstage.checkpoints import in_use
    from backstage.tracking import log_metrics
    from models.music.files import whole_folder

    log_metrics({"bars": 1})
    with in_use(Path(work)) as folder, whole_folder(take.path) as part, tempfile.TemporaryDirectory() as scratch:
        (part / "tape.raw").write_bytes(bytes(2_000_000))
        Path(scratch, "spool.raw").write_bytes(bytes(2_000_000))
        helper = subprocess.Popen(["sleep", "300"])
        Path(work + ".pids").write_text(f"{os.getpid()} {helper.pid} {scratch}")
        time.sleep(patience)
        helper.kill()
        helper.wait()
    return "learnt"


@dsl.pipeline(name="lesson")
def lesson(work: str, patience: int) -> str:
    return practise(work=work, patience=patience).outputs["Output"]


try:
    print(run(lesson, {"work": sys.argv[1], "patience": int(sys.argv[2])}, Profile.load(), plain=True).outputs)
except Exception as error:
    sys.exit(str(error))
'''


def start(tmp_path: Path, patience: int) -> subprocess.Popen:
    script = tmp_path / "lesson.py"
    script.write_text(LESSON)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAMFLOW_TRACKING_URI": "off"}
    command = [sys.executable, str(script), str(tmp_path / "work"), str(patience)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)


def told(tmp_path: Path, within_s: float = 60) -> tuple[list[int], Path]:
    """What the stage wrote down once it was at work: its processes and its scratch folder."""
    pids, end = tmp_path / "work.pids", time.monotonic() + within_s
    while not (pids.is_file() and len(pids.read_text().split()) == 3):
        assert time.monotonic() < end, "the stage never began"
        time.sleep(0.05)
    first, second, scratch = pids.read_text().split()
    pids.unlink()
    return [int(first), int(second)], Path(scratch)


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_stage_dies_with_its_runner_and_a_rerun_takes_over(tmp_path, home):
    runner = start(tmp_path, patience=300)
    pids, scratch = told(tmp_path)
    assert all(map(runs, pids))
    os.kill(runner.pid, signal.SIGKILL)
    runner.communicate()
    end = time.monotonic() + 3
    while any(map(runs, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    assert not any(map(runs, pids)), "the stage or its helper outlived the runner"
    assert scratch.exists()
    assert list((home / "runs").rglob("tape.raw"))

    again = start(tmp_path, patience=0)
    said, _ = again.communicate(timeout=60)
    assert again.returncode == 0, said
    assert "learnt" in said
    assert not scratch.exists(), "what the dead run held in the scratch folder is swept"
    assert len(list((home / "runs").rglob("tape.raw"))) == 1, "its half-written output too"
    assert not list((home / "runs").rglob("*.part"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_only_its_records(tmp_path, home, number):
    runner = start(tmp_path, patience=300)
    pids, scratch = told(tmp_path)
    os.kill(runner.pid, number)
    runner.communicate(timeout=30)
    assert not any(map(runs, pids))
    assert not scratch.exists()
    assert not list((home / "runs").rglob("tape.raw"))
    assert list((home / "runs").rglob("journal.jsonl")), "what it logged stays"


SAVING = """
import signal, sys, time
from pathlib import Path

def save(*_):
    Path(sys.argv[1], "saved").touch()
    sys.exit(128 + signal.SIGTERM)

if sys.argv[2] != "deaf":
    signal.signal(signal.SIGTERM, save)
else:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
Path(sys.argv[1], "began").touch()
time.sleep(60)
"""
RUNNING = """
import sys
from pipelines.processes import no_orphans, run_process, stage_environment

with no_orphans():
    run_process(["sh", "-c", '"$0" -c "$@"; true', sys.executable, *sys.argv[1:]], stage_environment(), print)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("manner", ["saving", "deaf"])
def test_a_stage_that_is_asked_to_end_may_save_and_is_asked_once(tmp_path, number, manner):
    command = [sys.executable, "-c", RUNNING, SAVING, str(tmp_path), manner]
    runner = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 30
    while not (tmp_path / "began").exists():
        assert time.monotonic() < end, "the stage never began"
        time.sleep(0.02)
    runner.send_signal(number)
    if manner == "deaf":
        assert runner.stderr is not None
        assert "once more stops at once" in runner.stderr.readline()
        runner.send_signal(number)
    began = time.monotonic()
    runner.communicate(timeout=30)
    assert time.monotonic() - began < 5
    assert runner.returncode != 0
    assert (tmp_path / "saved").exists() == (manner == "saving")


def test_who_comes_second_is_told_who_works_there(tmp_path):
    with in_use(tmp_path / "work"):
        told_so = rf"process {os.getpid()} .* Wait for it"
        with pytest.raises(StorageError, match=told_so), in_use(tmp_path / "work"):
            pass
    with in_use(tmp_path / "work"):
        pass


class Container:
    """What an engine says of a container."""

    def __init__(self, runner: int) -> None:
        self.labels, self.removed = {RUNNER: str(runner)}, False

    def remove(self, force: bool, v: bool) -> None:
        self.removed = True


class Engine:
    """A Docker engine that holds some containers of ours."""

    def __init__(self, *held: Container) -> None:
        self.containers, self.held = self, held

    def list(self, all: bool, filters: dict[str, str]) -> tuple[Container, ...]:
        assert (all, filters) == (True, {"label": RUNNER})
        return self.held


def test_a_container_whose_runner_was_killed_is_removed_by_the_next_run():
    gone = subprocess.Popen(["true"])
    gone.wait()
    orphan, ours = Container(gone.pid), Container(os.getpid())
    sweep_containers(Engine(orphan, ours))
    assert (orphan.removed, ours.removed) == (True, False)
