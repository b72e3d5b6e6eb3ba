import contextlib
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from backstage.pipeline_run import PipelineRun, StageRun
from backstage.record import Record
from backstage.scribe import start_scribe
from backstage.tracking import log_metrics, recording

ROOT = Path(__file__).resolve().parents[2]


def test_a_run_whose_process_died_is_told_to_mlflow_as_killed(tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    with recording(tmp_path / "record") as folder:
        log_metrics({"loss": 0.5}, step=3)
    stage = StageRun("train", "running", time.time(), image="localhost:5000/band/torch:0a1b", record=Record(folder))
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    PipelineRun("lesson", "lesson-1", [stage], process=dead.pid, began_s=time.time()).save(tmp_path)
    assert start_scribe(tmp_path, uri, (tmp_path / "artifacts").as_uri()).wait(timeout=110) == 0

    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        pages = database.execute("select name, status from runs order by name").fetchall()
        [(loss, step)] = database.execute("select value, step from metrics where key = 'loss'").fetchall()
        keys = database.execute("select value from tags where key = 'source.digest'").fetchall()
    assert keys == [("0a1b",)], "each stage's own key, which is its image's tag"
    assert pages == [("lesson-1", "KILLED"), ("train", "KILLED")]
    assert (loss, step) == (0.5, 3)
