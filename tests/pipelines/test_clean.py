"""`jamflow clean`: oldest first, told before it goes, and nothing that somebody needs."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from served_house import tiny_groove

from backstage.checkpoints import in_use
from backstage.pipeline_run import PipelineRun, StageRun
from backstage.record import Record
from pipelines import cli
from pipelines.settings import Profile
from serving.registration import register
from serving.scratch import scratch

DAY_S = 86_400


def written(file: Path, days: float) -> None:
    """Let a file look as if it had been written so many days ago."""
    then = time.time() - days * DAY_S
    os.utime(file, (then, then))


def left_run(name: str, days: float, state: Any = "done", process: int = 0, needs=()) -> None:
    """Make the folder of a run that wrote a megabyte so many days ago."""
    folder = Profile.load().runs / name
    (folder / "stage" / "comp" / "record").mkdir(parents=True)
    (folder / "stage" / "comp" / "take").write_bytes(bytes(1_000_000))
    stages = [StageRun("stage", "done", record=Record(folder / "stage" / "comp" / "record"))]
    stages += [StageRun("before", "cached", record=Record(Profile.load().runs / other / "s" / "c")) for other in needs]
    PipelineRun("lesson", name, stages, state=state, process=process).save(folder)
    written(folder / "run.json", days)


@pytest.fixture
def left(home, tmp_path, monkeypatch):
    (room := tmp_path / "room").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(room))
    left_run("lesson-old", 30)
    left_run("lesson-older", 40)
    left_run("lesson-new", 1)
    left_run("lesson-needed", 50)
    left_run("lesson-going-on", 20, state="running", process=os.getpid(), needs=["lesson-needed"])
    with in_use(home / "training" / "groove-1"):
        pass
    for name, days in (("groove-2", 10), ("groove-3", 10)):
        training = home / "training" / name
        training.mkdir(parents=True)
        for file in ("in-use", "step"):
            (training / file).write_bytes(bytes(500_000))
            written(training / file, days)
    with scratch("stage", room) as living:
        living.with_name(f"{living.name}-dead").mkdir()  # nobody holds it
        yield home


def names(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_would_go_is_told_oldest_first_and_stays(left, capsys):
    before = names(left / "runs")
    assert cli.main(["clean", "--dry-run"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in said[:-1]] == ["lesson-older", "lesson-old", "groove-2", "groove-3"]
    assert said[0].split()[:4] == ["40.0", "days", "1.0", "MB"]
    assert said[-1] == "4 folders, 4.0 MB would go."
    assert names(left / "runs") == before


def test_what_is_old_goes_and_what_somebody_needs_stays(left, capsys):
    with in_use(left / "training" / "groove-3"):
        for file in (left / "training" / "groove-3").iterdir():
            written(file, 10)
        assert cli.main(["clean", "--older-than", "0"]) == 0
        assert names(left / "runs") == {"lesson-needed", "lesson-going-on"}
        assert names(left / "training") == {"groove-3"}
        [living] = [folder for folder in (left.parent / "room").iterdir() if folder.is_dir()]
        assert not living.name.endswith("-dead")
    assert capsys.readouterr().out.splitlines()[-1] == "5 folders, 4.0 MB removed; 1 in use."


def test_a_champion_is_never_among_it(home, registry, tmp_path, monkeypatch):
    model = tiny_groove(home / "runs" / "train-groove-1" / "model", seed=0)
    version = register(registry, "groove", model, {})
    registry.promote("groove", version)
    monkeypatch.setenv("JAMFLOW_TRACKING_URI", registry.uri)
    assert cli.main(["clean", "--older-than", "0"]) == 0
    assert not model.exists()
    assert (registry.download("groove", version, tmp_path / "champion") / "model" / "weights.safetensors").is_file()
