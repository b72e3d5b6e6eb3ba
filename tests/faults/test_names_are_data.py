"""A name or a value is data, whatever it looks like: nothing on its way to a stage reads it."""

import os
from pathlib import Path

import numpy as np
import pytest
from kfp import dsl

from backstage.quoting import quoted, unquoted
from backstage.stage import stage
from models.music.audio import write_audio
from models.practice.drum_sounds import synthesise
from pipelines import cli
from pipelines.runner import run
from pipelines.settings import Profile

NAMES = [
    "{{$.inputs.parameters['seed']}}",
    "{{$.inputs.parameters['nobody']}}.wav",
    "{{$}}",
    "{{$.pipeline_job_name}} {{workflow.name}}",
    "{{$.json_escape[1]}}",
    "/kfp-workspace/song.wav",
    "python3.wav",
    os.fsdecode(b"caf\xe9.wav"),
    "\ud800 alone",
    "line\nbreak 'quoted' \"twice\" $HOME `ls` \\ %7B",
    "100% {plain} {} names",
]


@stage(image="python-ops", cached=False)
def echo(text: str, seed: int) -> list:
    """Say what was said, twice, and in which letters."""
    return [text, ascii(text)]


@stage(image="python-ops", cached=False)
def again(text: str, seed: int) -> str:
    """Say it again."""
    return text


@dsl.pipeline(name="echoes")
def echoes(text: str, seed: int = 42) -> list:
    said = echo(text=text, seed=seed)
    with dsl.ParallelFor(said.outputs["Output"]) as word:
        again(text=word, seed=seed)
    return said.outputs["Output"]  # type: ignore[return-value]


@pytest.mark.parametrize("value", [*NAMES, quoted(NAMES[0]), {"a": [NAMES[0], 3, None]}, {NAMES[0]: 1.5}, True])
def test_what_is_quoted_comes_back(value):
    assert unquoted(quoted(value)) == value


def test_a_home_named_after_a_python_is_a_home_like_any_other(monkeypatch, tmp_path):
    monkeypatch.setenv("JAMFLOW_TRACKING_URI", "off")
    monkeypatch.setenv("JAMFLOW_HOME", str(tmp_path / "python3" / "jamflow"))
    assert run(echoes, {"text": "la"}, Profile.load()).outputs["Output"] == ["la", "'la'"]


def test_ordinary_values_travel_as_they_are():
    assert quoted({"song": "/home/ann/My song {1}.wav", "seed": 42}) == {
        "song": "/home/ann/My song {1}.wav",
        "seed": 42,
    }


def test_a_stage_hears_every_value_as_it_was_given_and_so_does_the_next(monkeypatch, home):
    monkeypatch.setenv("JAMFLOW_TRACKING_URI", "off")
    value = " | ".join(NAMES)
    outcome = run(echoes, {"text": value}, Profile.load())
    assert outcome.outputs["Output"] == [value, ascii(value)]
    said = [stage.number for stage in outcome.run.stages if stage.name.startswith("again")]
    assert [number[1] for number in said if number] == [value, ascii(value)]
    assert outcome.run.stages[0].params["text"] == value


@pytest.mark.parametrize("name", ["{{$.inputs.parameters['seed']}}.wav", os.fsdecode(b"caf\xe9 python3.wav")])
def test_a_song_of_any_name_becomes_hits(tmp_path, monkeypatch, capsys, name):
    monkeypatch.setenv("JAMFLOW_TRACKING_URI", "off")
    song = write_audio(tmp_path / "plain.wav", synthesise("kick", np.random.default_rng(0))).rename(tmp_path / name)
    words = ["run", "preprocess", "--song", str(song), "--no-separation", "--out-dir", str(tmp_path / "out")]
    assert cli.main(words) == 0, capsys.readouterr().err
    assert (tmp_path / "out" / "dummy_00001.wav").is_file()
    assert cli.main(["run", "gather-songs", "--song", str(song), "--no-separation"]) == 0, capsys.readouterr().err
    assert "Traceback" not in capsys.readouterr().err
    brought = Path(os.environ["JAMFLOW_HOME"], "runs").rglob("drums/*.wav")
    assert [path.name for path in brought] == [name]
