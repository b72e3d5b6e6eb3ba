"""Real runs through kfp.local: every stage a process of its own."""

import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Output

from backstage.pipeline_run import PipelineRun
from backstage.stage import stage
from models.music.errors import StageFailed
from pipelines.runner import run
from pipelines.settings import Profile


@stage(image="python-ops")
def count_in(bars: Output[Dataset], beats: int = 4) -> int:
    """Count a bar in."""
    from pathlib import Path

    Path(bars.path).write_text("tick " * beats)
    return beats


@stage(image="python-ops")
def play_on(bars: Input[Dataset], take: Output[Dataset], metrics: Output[Metrics], cue: str = "") -> int:
    """Play on from a count, when the cue file says go."""
    from pathlib import Path

    from models.music.errors import BadInput

    if cue and Path(cue).read_text() != "go":
        raise BadInput(f"{cue}: says stop. Write go into it.")
    text = Path(bars.path).read_text()
    Path(take.path).write_text(text + "boom")
    return len(text.split())


@stage(image="python-ops")
def walk_off(how: str) -> int:
    """Leave without a word."""
    import os
    import signal

    if how == "smiling":
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


@stage(image="python-ops", retries=1)
def stumble(marker: str) -> str:
    """Fail the first time."""
    from pathlib import Path

    if not Path(marker).exists():
        Path(marker).touch()
        raise RuntimeError("a dropped stick")
    return "caught it"


@dsl.pipeline(name="again")
def once_more(marker: str) -> str:
    return stumble(marker=marker).output  # type: ignore[return-value]


@dsl.pipeline(name="rehearsal")
def rehearsal(beats: int = 4, cue: str = "") -> int:
    counted = count_in(beats=beats)
    with dsl.If(counted.outputs["Output"] > 3):
        play_on(bars=counted.outputs["bars"])
    with dsl.ParallelFor([1, 2, 3]) as turn:
        again = count_in(beats=turn)
        play_on(bars=again.outputs["bars"])
    return play_on(bars=counted.outputs["bars"], cue=cue).outputs["Output"]  # type: ignore[return-value]


@dsl.pipeline(name="solo")
def solo(cue: str = "") -> int:
    counted = count_in(beats=2)
    return play_on(bars=counted.outputs["bars"], cue=cue).outputs["Output"]  # type: ignore[return-value]


@stage(image="python-ops")
def say_key() -> str:
    """Say under which key it runs."""
    from backstage.source import running_key

    return running_key()


@dsl.pipeline(name="spoken")
def spoken() -> str:
    return say_key().output  # type: ignore[return-value]


@dsl.pipeline(name="exit")
def leave(how: str):
    walk_off(how=how)


@stage(image="python-ops")
def judge(take: Output[Dataset]) -> NamedTuple("Verdict", [("score", float), ("bars", int)]):  # type: ignore[valid-type]
    """Judge a take with two numbers."""
    from pathlib import Path

    Path(take.path).write_text("take")
    return 0.9, 4


@dsl.pipeline(name="undecided")
def undecided():
    verdict = judge()
    with dsl.If(verdict.outputs["score"] > 0.5):
        count_in(beats=2)


@pytest.fixture
def untracked(monkeypatch, home) -> Profile:
    monkeypatch.setenv("JAMFLOW_TRACKING_URI", "off")
    return Profile.load()


def test_gates_and_loops_run_and_a_second_run_comes_from_the_cache_at_once(untracked, capsys):
    first = run(rehearsal, {}, untracked)
    states = {stage.name: stage.state for stage in first.run.stages}
    assert first.outputs == {"Output": 4}
    assert len(states) == 9
    assert set(states.values()) == {"done"}
    in_loop = [s.number for s in first.run.stages if s.name.startswith("play-on-2") and s.number]
    assert sorted(value for _, value in in_loop) == [1, 2, 3], "turns of a loop must not share a folder"

    began = time.monotonic()
    second = run(rehearsal, {}, untracked)
    assert {stage.state for stage in second.run.stages} == {"cached"}
    assert second.outputs == {"Output": 4}
    assert time.monotonic() - began < 5
    assert "cached" in capsys.readouterr().out
    assert PipelineRun.load(second.folder).state == "done"


def test_a_failed_run_tells_its_cause_in_one_line_and_goes_on_from_the_failed_stage(untracked, tmp_path):
    cue = tmp_path / "cue.txt"
    cue.write_text("stop")
    with pytest.raises(StageFailed) as failure:
        run(solo, {"cue": str(cue)}, untracked)
    assert str(failure.value).startswith(f"play-on: {cue}: says stop. Write go into it. [log: ")
    assert "\n" not in str(failure.value)
    failed = sorted(untracked.runs.iterdir())[-1]
    assert "says stop" in (failed / "report.html").read_text()
    assert "Traceback" in (failed / "log.txt").read_text()

    cue.write_text("go")
    again = run(solo, {"cue": str(cue)}, untracked)
    assert [(s.name, s.state) for s in again.run.stages] == [("count-in", "cached"), ("play-on", "done")]
    afresh = run(solo, {"cue": str(cue)}, untracked, cached=False)
    assert {s.state for s in afresh.run.stages} == {"done"}


@pytest.mark.parametrize(("how", "told"), [("smiling", "without proof of success"), ("angry", "killed by signal 9")])
def test_a_stage_that_walks_off_is_a_failure_even_when_it_smiles(untracked, how, told):
    with pytest.raises(StageFailed, match=told):
        run(leave, {"how": how}, untracked)


def test_a_stage_with_a_retry_gets_a_second_chance_in_a_folder_of_its_own(untracked, tmp_path, monkeypatch):
    monkeypatch.setattr("kfp.local.orchestrator.task_executor.time.sleep", lambda _: None)
    outcome = run(once_more, {"marker": str(tmp_path / "marker")}, untracked)
    assert outcome.outputs == {"Output": "caught it"}
    assert outcome.run.stages[0].cause is None
    assert sorted(p.name for p in outcome.folder.iterdir() if p.is_dir()) == ["stumble", "stumble-attempt-2"]
    assert "a dropped stick" in (outcome.folder / "log.txt").read_text()


def test_a_stage_knows_its_own_key(untracked):
    outcome = run(spoken, {}, untracked)
    assert outcome.outputs == {"Output": say_key.full_image.rpartition(":")[2]}
    assert outcome.run.stages[0].image == say_key.full_image


def test_a_gate_on_one_of_several_outputs_is_an_error_not_a_silent_no(untracked):
    with pytest.raises(StageFailed, match=r"Could not resolve .*score.*single return value"):
        run(undecided, {}, untracked)


def test_an_edited_import_is_noticed_and_an_edit_elsewhere_is_not(tmp_path, home):
    source = tmp_path / "source"
    root = Path(__file__).resolve().parents[2]
    for room in ("models/music", "backstage", "components", "pipelines"):
        for file in (root / room).rglob("*"):
            if file.suffix in (".py", ".yaml"):
                copy = source / file.relative_to(root)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(file.read_bytes())
    (source / "models" / "__init__.py").touch()
    probe = source / "models" / "music" / "probe.py"
    stages = source / "components" / "ask.py"
    stages.write_text(
        "from backstage.stage import stage\n\n\n"
        '@stage(image="python-ops")\ndef ask() -> int:\n    """Ask."""\n'
        "    from models.music.probe import ANSWER\n\n    return ANSWER\n"
    )

    def ask() -> str:
        command = [sys.executable, "-P", "-m", "pipelines.cli", "run", "ask"]
        environment = {"PYTHONPATH": str(source), "JAMFLOW_HOME": str(home), "JAMFLOW_TRACKING_URI": "off"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    probe.write_text("ANSWER = 1\n")
    assert "result   1" in ask()
    assert "= ask" in ask(), "nothing changed: the cache answers"
    probe.write_text("ANSWER = 2\n")
    changed = ask()
    assert "result   2" in changed
    assert "= ask" not in changed
    (source / "models" / "music" / "elsewhere.py").write_text("ANSWER = 3\n")
    (source / "models" / "music" / "CARD.md").write_text("Words about the probe.\n")
    stages.write_text(stages.read_text() + "\n\ndef unasked() -> int:\n    return 4\n")
    assert "= ask" in ask(), "nothing that it reaches changed: the cache answers"
