"""The beat stages, called as their runner calls them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from backstage.record import Record
from backstage.tracking import recording
from components.beats import gather_drums, make_groove, make_skeleton, pack_kit
from components.tempo import find_tempo
from models.drums.events import read_events
from models.music.audio import write_audio
from models.music.files import write_json
from models.practice.drum_sounds import synthesise
from models.practice.songs import compose
from serving.in_process import InProcess
from serving.voices import Voice


@dataclasses.dataclass
class Folder:
    """Stands for an artifact: all a stage asks of one is its path."""

    path: str


@pytest.fixture
def pools(tmp_path: Path) -> Path:
    generator = np.random.default_rng(5)
    rows = {}
    for role, kind in {"CORE": "kick", "ACCENT": "snare", "MOTION": "hihat"}.items():
        write_audio(tmp_path / "kit" / f"{kind}.wav", synthesise(kind, generator))
        rows[f"{role}_POOL"] = [{"sample_id": kind, "filepath": f"{kind}.wav", "confidence": 0.9}]
    return write_json(tmp_path / "kit" / "pools_1.json", rows)


class Late:
    """Stands for a groove model: plays every hit so many ticks late."""

    def play(self, requests):
        return [{"notes": asked["hits"] + np.array([0, 0, 10 + asked["seed"][0], 0], np.int32)} for asked in requests]


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "backstage.voices.open_voice",
        lambda name, voice, where: Voice(InProcess("", 3, player=Late()), f"{name}: late"),
    )


def test_the_stages_lay_a_skeleton_and_play_it(pools: Path, tmp_path: Path, late: None):
    beat, groove = Folder(str(tmp_path / "beat")), Folder(str(tmp_path / "groove"))
    with recording(tmp_path / "record"):
        events = make_skeleton.python_func(Folder(str(pools)), beat, bpm=120.0, bars=1)
        played = make_groove.python_func(beat, beat, Folder(str(pools.parent)), groove, seed=5)
    assert events == played == len(read_events(tmp_path / "beat" / "event_grid_1.json"))
    offsets = {e.micro_offset_ms for e in read_events(tmp_path / "groove" / "event_grid_groovae_1.json")}
    assert offsets == {round(15 * 500 / 960, 3)}
    kept = sorted(path.suffix for path in (tmp_path / "record").iterdir())
    assert kept == [".jsonl", ".png", ".png", ".wav", ".wav"]


def test_the_tempo_is_said_in_one_line_and_drawn(tmp_path: Path):
    song = compose(np.random.default_rng(5), bars=6, tempo_bpm=110)
    write_audio(tmp_path / "drums.wav", song.stems["drums"])
    with recording(tmp_path / "record"):
        bpm = find_tempo.python_func(Folder(str(tmp_path / "drums.wav")), Folder(str(tmp_path / "tempo")))
        given = find_tempo.python_func(Folder(str(tmp_path / "drums.wav")), Folder(str(tmp_path / "given")), bpm="97.5")
    assert (bpm, given) == (pytest.approx(110, rel=0.01), 97.5)
    record = Record(tmp_path / "record")
    heard, told = (line["text"] for line in record.of_kind("note"))
    assert heard.startswith(f"tempo {bpm:.1f} bpm (sure: ")
    assert told.startswith("tempo 97.5 bpm, as told")
    assert record.of_kind("picture")


def test_kit_skeleton_and_groove_are_gathered_in_one_folder(
    pools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    kit, beat, groove, drums = (Folder(str(tmp_path / name)) for name in ("packed", "beat", "groove", "drums"))
    assert pack_kit.python_func(Folder(str(pools)), Folder(str(pools.parent)), kit) == 3
    make_skeleton.python_func(kit, beat, bpm=120.0, bars=1)
    make_groove.python_func(beat, beat, kit, groove)
    count = gather_drums.python_func(Folder(str(pools.parent)), kit, beat, groove, drums)
    names = {path.name for path in Path(drums.path).iterdir()} - {"manifest.json"}
    assert count == len(names)
    assert {"kick.wav", "pools_1.json", "render_1.wav", "render_groovae_1.wav", "event_grid_groovae_1.json"} <= names


def test_without_sound_a_groove_is_still_written_as_midi(pools: Path, tmp_path: Path, late: None):
    beat, groove = Folder(str(tmp_path / "beat")), Folder(str(tmp_path / "groove"))
    make_skeleton.python_func(Folder(str(pools)), beat, bpm=120.0, bars=1)
    make_groove.python_func(beat, beat, Folder(str(pools)), groove, render=False)
    assert (tmp_path / "groove" / "render_groovae_1.mid").is_file()
    assert not (tmp_path / "groove" / "render_groovae_1.wav").exists()


def test_without_a_server_the_starter_plays_and_is_named(pools: Path, tmp_path: Path):
    beat, groove = Folder(str(tmp_path / "beat")), Folder(str(tmp_path / "groove"))
    make_skeleton.python_func(Folder(str(pools)), beat, bpm=120.0, bars=1)
    with recording(tmp_path / "record"):
        make_groove.python_func(beat, beat, Folder(str(pools)), groove, render=False)
    [note] = Record(tmp_path / "record").of_kind("note")
    assert note["text"] == "groove: starter (no server runs; `jamflow serve` starts one)"
