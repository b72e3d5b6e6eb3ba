"""Skeleton beats: where each role plays, how dials and seeds change it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from models.drums.events import Beat, read_beat
from models.drums.kit import Kit
from models.drums.session import draw_pools, lay_skeleton, newest
from models.drums.skeleton import MOTION_STEPS, SkeletonPlan, make_skeleton
from models.music.audio import read_audio
from models.music.config import from_mapping
from models.music.errors import BadConfig, BadInput, StorageError

PLAN = SkeletonPlan(bpm=120, bars=8, fill_prob=1.0)


def steps(beat: Beat, role: str, bar: int) -> list[int]:
    return [event.step for event in beat.events if event.role == role and event.bar == bar]


def test_kick_and_snare_stand_in_every_bar(kit: Kit):
    beat = make_skeleton(kit, PLAN)
    for bar in range(8):
        assert steps(beat, "CORE", bar) == [0, 4, 8, 12]
        assert steps(beat, "ACCENT", bar) == [4, 12]


def test_a_fill_ends_every_fourth_bar_when_it_is_certain_and_none_when_impossible(kit: Kit):
    beat = make_skeleton(kit, PLAN)
    assert [steps(beat, "FILL", bar) for bar in range(8)] == [[], [], [], [12, 13, 14, 15]] * 2
    assert not any(event.role == "FILL" for event in make_skeleton(kit, replace(PLAN, fill_prob=0.0)).events)


def test_fills_come_as_often_as_they_are_asked_for(kit: Kit):
    beat = make_skeleton(kit, replace(PLAN, bars=1600, fill_prob=0.25))
    assert sum(event.role == "FILL" for event in beat.events) / 4 / 400 == pytest.approx(0.25, abs=0.06)


@pytest.mark.parametrize("mode", ["A", "B"])
@pytest.mark.parametrize("keep", [4, 6, 8])
def test_motion_keeps_its_anchors_and_the_density_asked_for(kit: Kit, mode, keep: int):
    beat = make_skeleton(kit, replace(PLAN, motion_mode=mode, motion_keep=keep))
    anchors, extras = MOTION_STEPS[mode]
    played = steps(beat, "MOTION", 0)
    assert len(played) == keep
    assert set(anchors) <= set(played) <= {*anchors, *extras}


def test_at_most_three_voices_share_a_step_and_hats_give_way_to_fills(kit: Kit):
    beat = make_skeleton(kit, replace(PLAN, motion_keep=8))
    assert max(Counter((event.bar, event.step) for event in beat.events).values()) == 3
    assert 12 in steps(beat, "MOTION", 2)
    assert 12 not in steps(beat, "MOTION", 3)


def test_a_texture_lasts_the_first_bar_or_is_left_out(kit: Kit):
    textures = [event for event in make_skeleton(kit, PLAN).events if event.role == "TEXTURE"]
    assert [(event.bar, event.step, event.dur_steps) for event in textures] == [(0, 0, 16)]
    assert not any(event.role == "TEXTURE" for event in make_skeleton(kit, replace(PLAN, texture=0)).events)


def test_the_main_kick_is_constant_and_the_seed_decides_which(kit: Kit):
    mains = []
    for seed in range(40):
        kicks = {e.sample_id for e in make_skeleton(kit, replace(PLAN, seed=seed)).events if e.role == "CORE"}
        assert len(kicks) == 1
        mains += kicks
    assert set(mains) == {"dummy_00001", "dummy_00002"}
    assert mains.count("dummy_00001") > mains.count("dummy_00002") / 1.5


def test_one_roles_dial_leaves_the_others_as_they_were(kit: Kit):
    a, b = make_skeleton(kit, replace(PLAN, motion_mode="A")), make_skeleton(kit, replace(PLAN, motion_mode="B"))
    assert [e for e in a.events if e.role in ("CORE", "ACCENT", "FILL")] == [
        e for e in b.events if e.role in ("CORE", "ACCENT", "FILL")
    ]
    assert a.events == make_skeleton(kit, replace(PLAN, motion_mode="A")).events


def test_a_role_without_samples_stays_silent(kit: Kit):
    beat = make_skeleton(Kit(kit.pool("CORE")), PLAN)
    assert {event.role for event in beat.events} == {"CORE"}


@pytest.mark.parametrize(
    ("dials", "words"),
    [
        ({"bpm": 0}, "bpm is 0"),
        ({"bars": 0}, "bars is 0"),
        ({"motion_keep": 3}, "motion_keep is 3; give 4 to 8"),
        ({"motion_mode": "C"}, "motion_mode is 'C'"),
        ({"fill_prob": 1.1}, "fill_prob is 1.1"),
        ({"fill_prob": float("nan")}, "fill_prob is nan"),
        ({"texture": 2}, "texture is 2"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_a_dial_out_of_range_is_named(dials: dict, words: str):
    with pytest.raises(BadConfig, match=words):
        from_mapping(SkeletonPlan, {"bpm": 120.0} | dials, "plan")


def test_a_session_writes_one_whole_numbered_set(pools_json: Path, tmp_path: Path):
    plan = SkeletonPlan(bpm=120, bars=1)
    assert [lay_skeleton(pools_json, tmp_path, plan).number for _ in range(2)] == [1, 2]
    names = {
        "grid_{}.json",
        "event_grid_{}.json",
        "skeleton_meta_{}.json",
        "render_{}.wav",
        "render_{}.mid",
        "render_{}.png",
    }
    assert {path.name for path in tmp_path.iterdir()} == {name.format(n) for name in names for n in (1, 2)}
    beat = read_beat(tmp_path / "grid_1.json", tmp_path / "event_grid_1.json")
    meta = json.loads((tmp_path / "skeleton_meta_1.json").read_text())
    assert meta["events"] == len(beat)
    assert meta["pools_json"] == "pools_1.json"
    assert read_audio(tmp_path / "render_1.wav").seconds >= 2.0


def test_a_session_that_fails_leaves_nothing(pools_json: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import models.drums.session as session

    def full(*_):
        raise BadInput("the disk is full")

    monkeypatch.setattr(session, "write_beat_midi", full)
    with pytest.raises(BadInput, match="full"):
        lay_skeleton(pools_json, tmp_path, SkeletonPlan(bpm=120, bars=1))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_none_is_one_line(pools_json: Path, tmp_path: Path):
    (tmp_path / "out").write_text("I am a file")
    with pytest.raises(StorageError, match="out: not written"):
        lay_skeleton(pools_json, tmp_path / "out", SkeletonPlan(bpm=120, bars=1))


def test_pools_are_named_or_drawn_by_the_seed(pools_json: Path, tmp_path: Path):
    for number in (1, 2, 10):
        (tmp_path / f"pools_{number}.json").write_text(pools_json.read_text())
    assert draw_pools(tmp_path / "pools_2.json", "elsewhere", 0).name == "pools_2.json"
    drawn = [draw_pools("random", tmp_path, seed).name for seed in range(30)]
    assert set(drawn) == {"pools_1.json", "pools_2.json", "pools_10.json"}
    assert [draw_pools(tmp_path, "elsewhere", seed).name for seed in range(30)] == drawn
    assert newest(tmp_path, "pools").name == "pools_10.json"
    with pytest.raises(BadInput, match=r"no pools_N\.json"):
        draw_pools("random", tmp_path / "nothing", 0)
