import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines import catalogue, cli
from pipelines.catalogue import entries
from pipelines.flags import Flags, add_flags

ROOT = Path(__file__).resolve().parents[2]


def test_help_answers_at_once_and_imports_nothing_heavy():
    code = (
        "import sys; from pipelines.cli import main; main(['--help']); main(['list']);"
        "heavy = ('kfp', 'torch', 'mlflow', 'numpy', 'librosa', 'matplotlib', 'tritonclient', 'rich');"
        "print('HEAVY', [name for name in heavy if name in sys.modules])"
    )
    seconds = []
    for _ in range(3):
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
        seconds.append(time.monotonic() - began)
    assert min(seconds) < 1.0
    assert "HEAVY []" in done.stdout
    assert all(name in done.stdout for name in cli.COMMANDS)
    assert "fetch-dataset" in done.stdout


def test_every_command_can_be_imported():
    for name in cli.COMMANDS:
        assert callable(cli.command(name)), name


def test_everything_in_the_catalogue_has_help():
    for name, entry in entries().items():
        assert entry.help.endswith("."), f"{name} needs a first line of docstring that is a sentence"


def test_the_help_of_a_stage_comes_from_its_signature_and_docstring(capsys):
    with pytest.raises(SystemExit):
        cli.main(["run", "fetch_dataset", "--help"])
    said = capsys.readouterr().out
    assert "Fetch a dataset: a folder, an archive" in said
    assert "--source TEXT" in said
    assert "the address of a snapshot or an archive" in said
    assert "--out-dir" in said


def told_by(name: str, capsys) -> str:
    with pytest.raises(SystemExit):
        cli.main(["run", name, "--help"])
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("pipeline", "sentence"),
    [
        ("make-drums", "--fill-prob X How likely the last bar of every four ends in a fill, 0 to 1. [0.25]"),
        (
            "make-drums",
            "--model TEXT Who separates: htdemucs, separator (it comes with Jamflow), or a model's folder. [htdemucs]",
        ),
        ("make-drums", "--seed N The same seed, the same drums. [42]"),
        ("play-groove", "--pools-json TEXT The kit's pools file; empty plays the practice room's kit."),
        ("train-groove", "--preset TEXT tiny, laptop, studio or published (models/groove/presets.yaml). [laptop]"),
    ],
)
def test_a_pipelines_flag_says_what_its_stage_says_unless_it_says_more_itself(pipeline, sentence, capsys):
    assert sentence in told_by(pipeline, capsys)


def test_every_flag_of_everything_explains_itself():
    silent = []
    for name in entries():
        parser = Flags(prog=name)
        add_flags(parser, catalogue.pipeline(name, "localhost/jamflow"))
        shown = [action for action in parser._actions if action.help != argparse.SUPPRESS]
        silent += [f"{name} {a.option_strings[0]}" for a in shown if not re.match(r"[\w\"]", a.help or "")]
    assert silent == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["rum"], "rum: no such command; did you mean 'run'."),
        (["run", "fetch-datasett"], "no such pipeline or stage; did you mean 'fetch-dataset'"),
        (["run", "fetch-dataset", "--sourze", "x"], "--sourze: unknown flag; did you mean --source?"),
        (["run", "fetch-dataset"], "--source: needed."),
        (["run", "register", "--name", "x"], "--model"),
        (["run", "gate", "--budget-ms", "soon"], "invalid number value: 'soon'"),
        (["run", "gate", "--budget-ms", "nan"], "invalid number value: 'nan'"),
        (["submit", "fetch-dataset", "--source", "x"], "the profile is laptop. Set JAMFLOW_PROFILE=cluster"),
    ],
)
def test_a_users_error_is_one_line_and_exit_code_1(words, told, capsys):
    assert cli.main(words) == 1
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


def test_debug_shows_the_traceback(capsys):
    assert cli.main(["run", "nothing", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_underscores_and_dashes_are_one_flag():
    parser = Flags(prog="jamflow run make-groove")
    parser.add_argument("--pools-json")
    assert parser.read(["--pools_json", "a_b.json"]).pools_json == "a_b.json"
    assert parser.read(["--pools_json=a_b.json"]).pools_json == "a_b.json"
    assert parser.read(["--pools-json", "a_b.json"]).pools_json == "a_b.json"


def test_a_stage_alone_takes_files_and_leaves_files(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("JAMFLOW_TRACKING_URI", "off")
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs" / "take_7.mid").write_bytes(b"MThd")
    words = ["run", "fetch-dataset", "--source", str(tmp_path / "songs"), "--out_dir", str(tmp_path / "out")]
    assert cli.main(words) == 0
    assert (tmp_path / "out" / "take_1.mid").read_bytes() == b"MThd"
    said = capsys.readouterr().out
    assert re.search(r"^result   digest [0-9a-f]{12}$", said, re.MULTILINE)
    for link in ("report ", "log ", "mlflow ", "wrote "):
        assert link in said
    assert cli.main(["status"]) == 0
    assert "fetch-dataset-" in capsys.readouterr().out


def test_a_home_that_cannot_be_written_is_one_line(tmp_path, capsys, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("JAMFLOW_HOME", str(tmp_path / "file"))
    assert cli.main(["run", "fetch-dataset", "--source", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert f"{tmp_path}/file" in said
    assert said.count("\n") == 1
