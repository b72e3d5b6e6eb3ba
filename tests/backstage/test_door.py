import contextlib
import json
import runpy
import sqlite3
import sys

import pytest

from backstage import door
from backstage.record import Record
from models.music.errors import BadAudio


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """A stage that was asked to run: its folder, and the words KFP starts it with."""
    told = {
        "outputs": {
            "outputFile": str(tmp_path / "task" / "executor_output.json"),
            "artifacts": {"metrics": {"artifacts": [{"uri": str(tmp_path / "task" / "metrics")}]}},
        }
    }
    module = tmp_path / "a_stage.py"
    monkeypatch.setattr("kfp.dsl.executor_main.executor_main", lambda: runpy.run_path(str(module)))
    monkeypatch.setattr(sys, "argv", ["pytest"])

    def go(body: str) -> tuple[int, Record]:
        module.write_text(body)
        code = door.main(
            ["kfp.dsl.executor_main", "--executor_input", json.dumps(told), "--function_to_execute", "a_stage"]
        )
        return code, Record(tmp_path / "task" / "record")

    return go


def test_success_leaves_its_proof_and_every_output(asked, tmp_path):
    code, record = asked("from backstage.tracking import log_metrics\nlog_metrics({'hits': 12})")
    assert code == 0
    assert record.done
    assert record.done["number"] == ["hits", 12.0]
    assert (tmp_path / "task" / "metrics").is_file(), "kfp's cache misses for ever without it"
    assert record.of_kind("system"), "at least one look at the machine"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("from models.music.errors import BadAudio\nraise BadAudio('kick 7.wav: 0 frames.\\nExport it again.')", "kick 7.wav: 0 frames. Export it again."),
        ("raise MemoryError", "out of memory. Give the stage less at once, or a machine with more."),
        ("1 / 0", "ZeroDivisionError: division by zero (a_stage.py:1)"),
        ("import signal, sys; sys.exit(128 + signal.SIGTERM)", "stopped."),
        ("import sys; sys.exit('enough')", "SystemExit: enough (a_stage.py:1)"),
    ],
)  # fmt: skip
def test_failure_leaves_its_cause_in_one_line_and_no_proof(asked, body, told, capsys):
    code, record = asked(body)
    assert code == 1
    assert record.cause == told
    assert record.done is None
    assert told in capsys.readouterr().err


def test_our_own_errors_speak_for_themselves():
    assert door.cause_of(BadAudio("snare.wav: no data.")) == "snare.wav: no data."


def test_in_a_pod_the_record_goes_to_mlflow(asked, tmp_path, monkeypatch):
    monkeypatch.setenv(door.TRACK_TO, f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setenv("JAMFLOW_EXPERIMENT", "study")
    monkeypatch.setenv("JAMFLOW_RUN", "study-1")
    assert asked("from backstage.tracking import log_metrics\nlog_metrics({'hits': 12})")[0] == 0
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        pages = database.execute("select name, status from runs order by name").fetchall()
        hits = database.execute("select value from metrics where key = 'hits'").fetchall()
    assert pages == [("a-stage", "FINISHED"), ("study-1", "FINISHED")]
    assert hits == [(12.0,)]
