"""A stranger's words (JSON, YAML, tables, models) are read or refused in one line by an error of ours, whatever is in them: nothing else ever comes out.

Known blows first, by name; then whatever hypothesis thinks of.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from served_house import tiny_groove
from strange import BEAT, FEW, NUMBERS, RAW, ROW, SEVERAL, answered, anything, bent, spoilt, torn

from backstage.storage import bring
from models.drums.editor import Editor, set_event
from models.drums.events import Event, read_beat, write_events, write_grid
from models.drums.release import pack_kit
from models.drums.roles.learned.dataset import find_labelled
from models.drums.session import lay_skeleton
from models.drums.skeleton import SkeletonPlan
from models.groove.network import GrooveConfig, GrooveVAE
from models.learning.checkpoint import load_model
from models.music.audio import write_audio
from models.music.config import read_yaml
from models.music.errors import BadInput, JamflowError
from models.music.files import check_folder, manifest_of, sha256
from models.practice.drum_sounds import synthesise
from pipelines.settings import Profile
from serving.voices import open_voice
from serving.where import Where

# JSON: grids, event grids, pools, scores, histories, manifests.

POOLS = {"CORE_POOL": [ROW, {**ROW, "sample_id": "low"}], "ACCENT_POOL": [{**ROW, "sample_id": "snare"}], "counts": {}}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a whole beat, its kit and its history; a test spoils one file of it and mends it again."""
    folder = tmp_path_factory.mktemp("desk")
    write_audio(folder / "kick.wav", synthesise("kick", np.random.default_rng(0)))
    (folder / "pools_1.json").write_text(json.dumps(POOLS))
    (folder / "per_sample_1.json").write_text(json.dumps([ROW]))
    write_grid(folder / "grid_1.json", BEAT.grid)
    write_events(folder / "event_grid_1.json", BEAT)
    Editor(folder / "event_grid_1.json").apply(lambda beat: set_event(beat, Event(0, 2, "FILL", "kick", 0.5)))
    return folder


def undone(desk: Path) -> None:
    editor = Editor(desk / "event_grid_1.json")
    editor.undo()
    editor.redo()


def skeleton(desk: Path) -> None:
    lay_skeleton(desk / "pools_1.json", desk / "out", SkeletonPlan(bpm=400, bars=1), render_sr=8000)


READERS: dict[str, Callable[[Path], Any]] = {
    "grid_1.json": lambda desk: read_beat(desk / "grid_1.json", desk / "event_grid_1.json"),
    "event_grid_1.json": lambda desk: read_beat(desk / "grid_1.json", desk / "event_grid_1.json").onset_seconds(),
    "pools_1.json": skeleton,
    "per_sample_1.json": lambda desk: pack_kit(
        desk / "pools_1.json", desk / "packed" / str(len(list(desk.glob("packed/*"))))
    ),
    ".event_grid_1.undo.json": undone,
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("text", RAW)
def test_a_known_blow_is_parried(desk, name, text):
    with spoilt(desk / name, text), pytest.raises(JamflowError, match=r"^.{1,1500}$"):
        READERS[name](desk)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_out_of_proportion_is_parried_wherever_it_stands(desk, name, number):
    good = (desk / name).read_text()
    for place in {value for value in _scalars(json.loads(good)) if not isinstance(value, str)}:
        with spoilt(desk / name, good.replace(json.dumps(place), json.dumps(number))):
            answered(READERS[name], desk)


def _scalars(value: Any) -> list[Any]:
    if isinstance(value, dict | list):
        return [each for inner in (value.values() if isinstance(value, dict) else value) for each in _scalars(inner)]
    return [value]


@pytest.mark.parametrize("name", READERS)
def test_whatever_stands_in_a_json_file_it_is_read_or_refused(desk, name):
    good = json.loads((desk / name).read_text())

    @FEW
    @given(bent(good))
    def reads(value):
        if name == ".event_grid_1.undo.json" and isinstance(value, dict) and "sha256" in value:
            value["sha256"] = sha256(desk / "event_grid_1.json")
        before = (desk / "event_grid_1.json").read_bytes()
        with spoilt(desk / name, json.dumps(value)):
            answered(READERS[name], desk)
        (desk / "event_grid_1.json").write_bytes(before) if name.startswith(".") else None

    reads()


@SEVERAL
@given(some.one_of(bent({"a/b.wav": {"bytes": 3, "sha256": "x"}}), anything))
def test_a_manifest_is_held_to_or_refused(tmp_path_factory, value):
    folder = tmp_path_factory.mktemp("model")
    (folder / "manifest.json").write_text(json.dumps(value))
    answered(check_folder, folder)
    answered(bring, folder.as_uri(), folder / "brought")


# YAML and CSV: settings, labels.

SETTINGS = "profile: laptop\nimages: localhost/jamflow\nnamespace: ''\n"
BLOWS = [
    "profile: 2024-13-45", "profile: !!timestamp x", "images: !!int x", "images: !!float ''", "images: !!bool maybe",
    "images: !!binary '*'", "images: !!python/object:os.system x", "a: &a [*a]", "[" * 50_000, "{" * 50_000,
    "profile: " + "9" * 5_000, "profile: .inf", "profile: 1e999", "? [a]\n: 1", "<<: 3", "%YAML 9.9\n---\na: 1",
    "profile: 0x" + "f" * 4_000, "1:2:3: 4", "profile: " + ":".join(["59"] * 4_000), "- - -", "\x00", "\ufffe", "!!set {a}",
    "!!omap [a]", "!!int ''", "profile: !!merge x", "= : 1", "profile: !<tag:yaml.org,2002:int> _",
]  # fmt: skip


@pytest.mark.parametrize("text", BLOWS)
def test_yaml_that_is_none_is_one_line(tmp_path, text):
    (tmp_path / "settings.yaml").write_text(text)
    answered(read_yaml, tmp_path / "settings.yaml")
    with pytest.raises(JamflowError, match=r"^.{1,1500}$"):
        Profile.load({"JAMFLOW_HOME": str(tmp_path)})


@SEVERAL
@given(some.one_of(torn(SETTINGS.encode()), some.text(max_size=60).map(lambda text: f"profile: {text}".encode())))
def test_whatever_stands_in_a_settings_file_it_is_read_or_refused(tmp_path_factory, data):
    home = tmp_path_factory.mktemp("home")
    (home / "settings.yaml").write_bytes(data)
    answered(Profile.load, {"JAMFLOW_HOME": str(home)})


@SEVERAL
@given(torn(b'path,label,maker\nkick.wav,kick,ann\n"a,b",snare,bo\n'))
def test_whatever_stands_in_a_list_of_labels_it_is_read_or_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("labels")
    (folder / "labels.csv").write_bytes(data)
    answered(find_labelled, folder)
    answered(find_labelled, folder / "labels.csv")


@pytest.mark.parametrize("place", ["../secret.wav", "/etc/hostname", "link.wav"])
def test_a_list_of_labels_names_no_file_outside_its_folder(tmp_path, place):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "kick.wav").touch()
    (tmp_path / "labels" / "link.wav").symlink_to("/etc/hostname")
    (tmp_path / "labels" / "labels.csv").write_text(f"path,label\nkick.wav,kick\n{place},snare\n")
    with pytest.raises(BadInput, match=r"labels\.csv: .* outside its folder"):
        find_labelled(tmp_path / "labels")


# Models.


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_groove(tmp_path_factory.mktemp("model") / "groove", seed=0)


def vouched_for(model: Path) -> None:
    """A stranger writes a manifest that fits what he has spoilt."""
    (model / "manifest.json").write_text(json.dumps(manifest_of(model)))


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors"])
def test_whatever_stands_in_a_model_it_is_loaded_or_refused(model, name):
    good = (model / name).read_bytes()
    spoiling = (
        bent(json.loads(good)).map(lambda value: json.dumps(value).encode())
        if name == "config.json"
        else torn(good[:2000])
    )

    @FEW
    @given(spoiling)
    def loads(data):
        with spoilt(model / "manifest.json", b""), spoilt(model / name, data):
            vouched_for(model)
            answered(load_model, model, "groove", GrooveConfig, GrooveVAE)
            answered(open_voice, "groove", str(model), Where())

    loads()
