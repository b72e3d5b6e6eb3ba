"""The seam between stages and serving: trained, gated, served and asked, as a user types it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from backstage.pipeline_run import RUN_FILE, PipelineRun
from models.music.audio import write_audio
from models.music.files import read_json
from models.music.grid import TICKS_PER_STEP
from models.music.midi import read_midi, write_midi
from models.music.notes import Take
from models.practice.drum_sounds import synthesise
from models.practice.stem_songs import stem_song
from pipelines.settings import Profile
from serving.client import JamflowClient
from serving.contracts.counterfactual import whole_parts
from serving.contracts.separator import whole_stems
from serving.contracts.separator_live import SEPARATOR_LIVE, live_stems
from serving.endpoint import Endpoint
from serving.registry import CHAMPION, Registry

pytestmark = pytest.mark.timeout(600)
GROOVE = ["run", "train-groove", "--preset", "tiny", "--plain"]
ROLES = ["run", "train-roles", "--preset", "tiny", "--plain"]
KEEPER_MB = 120


@pytest.fixture
def beat(tmp_path: Path) -> Path:
    rows = [(36, s) for s in (0, 6, 8)] + [(38, s) for s in (4, 12)] + [(42, s) for s in range(0, 16, 2)]
    notes = [(key, 90, step * TICKS_PER_STEP, 120) for key, step in sorted(rows, key=lambda row: row[1])]
    return write_midi(tmp_path / "beat.mid", Take(np.array(notes), 96), drums=True)


@pytest.fixture
def hits(tmp_path: Path) -> Path:
    generator = np.random.default_rng(3)
    for kind in ("kick", "snare", "hihat", "tom"):
        write_audio(tmp_path / "hits" / f"{kind}.wav", synthesise(kind, generator))
    return tmp_path / "hits"


@pytest.fixture
def stem_songs(tmp_path: Path) -> Path:
    for split in ("train", "valid", "test"):
        for stem, sound in stem_song(split, 0, seconds=1.0).items():
            write_audio(tmp_path / "songs" / split / "song" / f"{stem}.wav", sound, subtype="PCM_16")
    return tmp_path / "songs"


@pytest.fixture
def moved(home: Path, tmp_path: Path) -> Profile:
    """A house in which nothing lies where it lies by default."""
    home.mkdir()
    elsewhere = tmp_path / "elsewhere"
    settings = {
        "tracking_uri": f"sqlite:///{elsewhere}/registry/models.db",
        "artifacts": (elsewhere / "kept").as_uri(),
        "repository": str(elsewhere / "scores"),
        "work": str(elsewhere / "checkpoints"),
        "images": "registry.example/band",
        "pipeline_root": "s3://bucket/pipelines",
        "namespace": "band",
        "kfp_host": "http://127.0.0.1:1",
    }
    (home / "settings.yaml").write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
    return Profile.load()


@pytest.fixture
def stage_door() -> Iterator[None]:
    """Whatever server a test starts, it stops."""
    yield
    jamflow(["serve", "--stop"])


def jamflow(words: list[str]) -> str:
    """Type a command; it must end well."""
    typed = [sys.executable, "-m", "pipelines.cli", *words]
    done = subprocess.run(typed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def champion(name: str) -> int | None:
    return Registry.at(Profile.load().where).alias(name, CHAMPION)


def states() -> dict[str, str]:
    """How each stage of the newest run ended."""
    newest = max(Profile.load().runs.glob(f"*/{RUN_FILE}"), key=lambda file: file.stat().st_mtime)
    return {stage.name: stage.state for stage in PipelineRun.load(newest.parent).stages}


def test_what_was_trained_is_gated_served_and_asked(home, beat, hits, tmp_path, stage_door):
    jamflow(GROOVE)
    assert champion("groove") == 1, "with no champion to beat, and no server running, it is served all the same"
    jamflow(ROLES)
    jamflow(["serve", "--detach"])
    keeper = psutil.Process(Endpoint.read(home / "serving.json").pid)
    assert keeper.memory_info().rss < KEEPER_MB * 2**20, "what loading the champions needs is gone again"

    said = jamflow(["run", "play-groove", "--midi", str(beat), "--out-dir", str(tmp_path / "out"), "--plain"])
    assert "note     groove: champion 1 at 127.0.0.1:" in said
    played, stiff = read_midi(tmp_path / "out" / "beat_1.mid", drums=True), read_midi(beat, drums=True)
    assert sorted(played.notes[:, 0]) == sorted(stiff.notes[:, 0])
    assert (played.notes[:, 2] != stiff.notes[:, 2]).any()
    said = jamflow(["run", "assign-roles", "--input-dir", str(hits), "--out-dir", str(tmp_path / "out"), "--plain"])
    assert "note     roles: champion 1 at 127.0.0.1:" in said

    jamflow(GROOVE)
    again = states()
    assert again["train-groove-model"] == "cached", "the same training is not taught twice"
    assert again["evaluate-groove"] == "done", "there is a champion now, beside whom it is judged"
    assert champion("groove") == 1, "the same model keeps its version"
    jamflow(GROOVE)
    assert states()["evaluate-groove"] == "cached"

    (home / "mlflow.db").rename(home / "mlflow.db.lost")
    jamflow(GROOVE)
    assert champion("groove") == 1, "a registry that was lost is filled again, not believed from the cache"


@pytest.mark.slow
def test_separators_are_taught_gated_served_and_asked(home, stem_songs, tmp_path, stage_door):
    families = {"separator": "tiny", "counterfactual": "tiny", "separator_live": "tiny-live"}
    for name, preset in families.items():
        words = ["run", f"train-{name.replace('_', '-')}", "--data", str(stem_songs), "--preset", preset, "--plain"]
        jamflow([*words, "--budget-ms", "60000"])
        assert champion(name) == 1
    jamflow(["serve", "--detach"])
    song = stem_song("test", 1, seconds=1.0)["drums"]
    with JamflowClient(Endpoint.read(home / "serving.json").grpc_url) as client:
        assert [stem.frames for stem in whole_stems(client, song).values()] == [song.frames] * 4
        vocals, instrumental = whole_parts(client, song, steps=2).values()
        np.testing.assert_allclose(vocals.samples + instrumental.samples, song.samples, atol=1e-4)
        with client.session(SEPARATOR_LIVE) as session:
            assert live_stems(session, song.samples[:, :1024])["bass"].shape == (2, 1024)

    [folder] = [file.parent for file in home.rglob("model/config.json") if read_json(file)["kind"] == "counterfactual"][
        :1
    ]
    file = write_audio(tmp_path / "song.wav", song)
    told = [
        "--song",
        str(file),
        "--model",
        str(folder),
        "--steps",
        "2",
        "--seed",
        "7",
        "--out-dir",
        str(tmp_path / "out"),
    ]
    jamflow(["run", "separate-song", "--plain", *told])
    assert read_json(tmp_path / "out" / "song" / "separation.json")["model"] == f"{folder}, steps 2, seed 7"
    assert states()["take-stems"] == "done"


def test_nothing_depends_on_where_things_lie_by_default(moved, home, beat, tmp_path, stage_door):
    jamflow(GROOVE)
    assert champion("groove") == 1
    jamflow(["serve", "--detach"])
    jamflow([*GROOVE, "--seed", "1"])
    assert Registry.at(moved.where).versions("groove") == [1, 2]
    said = jamflow(["run", "play-groove", "--midi", str(beat), "--out-dir", str(tmp_path / "out"), "--plain"])
    assert f"note     groove: champion {champion('groove')} at 127.0.0.1:" in said
    made = {path.name for path in home.iterdir()} - {
        "settings.yaml",
        "triton",
        "serve.log",
        "serving.json",
        ".serving.json.lock",
    }
    assert made <= {"runs", "cache"}, "everything else is where the settings say"
