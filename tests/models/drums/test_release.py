"""Kits and releases that can be carried away."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from models.drums.kit import read_kit
from models.drums.release import pack_kit, release
from models.drums.session import lay_groove, lay_skeleton
from models.drums.skeleton import SkeletonPlan
from models.music.errors import BadInput
from models.music.files import is_whole


@pytest.fixture
def far_pools(pools_json: Path, tmp_path: Path) -> Path:
    """A pools file whose samples lie in another folder, one of them under an id that is no file name."""
    rows = json.loads(pools_json.read_text())
    rows["FILL_POOL"][0]["sample_id"] = "../tom (low)"
    (tmp_path / "roles").mkdir()
    (tmp_path / "roles" / "pools_1.json").write_text(json.dumps(rows))
    shutil.copyfile(pools_json.parent / "dummy_00001.wav", tmp_path / "roles" / "spare.wav")
    scores = [{"sample_id": "dummy_00001", "filepath": "/elsewhere/dummy_00001.wav", "scores": {"final": [1, 0]}}]
    scores.append({"sample_id": "spare", "filepath": str(tmp_path / "roles" / "spare.wav")})
    (tmp_path / "roles" / "per_sample_1.json").write_text(json.dumps(scores))
    return tmp_path / "roles"


def test_a_packed_kit_plays_wherever_it_is_carried(pools_json: Path, far_pools: Path, tmp_path: Path):
    pack_kit(far_pools, tmp_path / "kit", sample_root=pools_json.parent)
    assert is_whole(tmp_path / "kit")
    carried = tmp_path / "carried" / "away"
    shutil.move(tmp_path / "kit", carried)
    kit = read_kit(carried / "pools_1.json")
    assert len(kit.pieces) == 11
    assert all(piece.path.parent == carried for piece in kit.pieces)
    assert kit.piece("../tom (low)").path.name.startswith("sample_")
    rows = json.loads((carried / "pools_1.json").read_text())
    assert [row["confidence"] for row in rows["CORE_POOL"]] == [0.9, 0.7]
    scores, spare = json.loads((carried / "per_sample_1.json").read_text())
    assert (carried / spare["filepath"]).is_file()
    assert scores == {"sample_id": "dummy_00001", "filepath": "dummy_00001.wav", "scores": {"final": [1, 0]}}


def test_a_release_holds_kit_and_beats_and_everything_opens(pools_json: Path, tmp_path: Path):
    pack_kit(pools_json, tmp_path / "kit")
    lay_skeleton(tmp_path / "kit", tmp_path / "beat", SkeletonPlan(bpm=120, bars=1))
    lay_groove(tmp_path / "beat", tmp_path / "beat", tmp_path / "kit", tmp_path / "groove", lambda hits, *_: hits)
    count = release([tmp_path / "kit", tmp_path / "beat", tmp_path / "groove"], tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert len(names) == count + 1  # and the manifest
    assert {
        "pools_1.json",
        "dummy_00001.wav",
        "event_grid_1.json",
        "event_grid_groovae_1.json",
        "render_groovae_1.mid",
    } <= names


def test_a_release_with_a_broken_part_is_never_there(pools_json: Path, tmp_path: Path):
    pack_kit(pools_json, tmp_path / "kit")
    lay_skeleton(tmp_path / "kit", tmp_path / "beat", SkeletonPlan(bpm=120, bars=1))
    (tmp_path / "beat" / "grid_1.json").unlink()
    with pytest.raises(BadInput, match=r"grid_1\.json"):
        release([tmp_path / "kit", tmp_path / "beat"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_parts_that_contradict_each_other_are_refused(pools_json: Path, tmp_path: Path):
    for name, bpm in (("a", 100), ("b", 120)):
        lay_skeleton(pools_json, tmp_path / name, SkeletonPlan(bpm=bpm, bars=1))
    with pytest.raises(BadInput, match="b and an earlier part differ"):
        release([pools_json.parent, tmp_path / "a", tmp_path / "b"], tmp_path / "out")
