"""Pools files become kits, and what is missing is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.drums.events import ROLES
from models.drums.kit import GM_KEYS, Kit, load_sounds, read_kit, role_of_key
from models.music.errors import BadInput


def test_the_surest_sample_of_a_pool_comes_first_whatever_the_files_order(pools_json: Path, tmp_path: Path):
    pools = json.loads(pools_json.read_text())
    pools["CORE_POOL"].reverse()
    (tmp_path / "pools_1.json").write_text(json.dumps(pools))
    kit = read_kit(tmp_path / "pools_1.json", sample_root=pools_json.parent)
    assert [piece.sample_id for piece in kit.pool("CORE")] == ["dummy_00001", "dummy_00002"]


def test_samples_of_one_role_answer_to_different_drum_keys(kit: Kit):
    assert [piece.key for piece in kit.pool("CORE")] == [36, 35]
    assert [piece.key for piece in kit.pool("MOTION")] == [42, 46, 44]
    assert len({piece.key for piece in kit.pieces}) == len(kit.pieces)


def test_every_drum_key_belongs_to_one_role_and_back():
    keys = [key for keys in GM_KEYS.values() for key in keys]
    assert len(keys) == len(set(keys))
    assert all(role_of_key(key) == role for role in ROLES for key in GM_KEYS[role])


def test_any_key_finds_a_piece_even_in_a_kit_of_kicks(kit: Kit):
    kicks = Kit(kit.pool("CORE"))
    assert all(kicks.at_key(key).role == "CORE" for key in range(128))
    assert kit.at_key(82).role == "MOTION"


def test_missing_samples_are_named_with_the_way_out(pools_json: Path, tmp_path: Path):
    (tmp_path / "pools_1.json").write_text(pools_json.read_text())
    with pytest.raises(BadInput, match=r"'dummy_00001' is not at .*dummy_00001\.wav' and 10 more.*--sample-root"):
        read_kit(tmp_path / "pools_1.json")


def test_pools_from_another_machine_are_found_by_name_below_sample_root(pools_json: Path, tmp_path: Path):
    pools = json.loads(pools_json.read_text())
    for row in pools["CORE_POOL"]:
        row["filepath"] = f"/nowhere/at/all/{row['filepath']}"
    (tmp_path / "pools_1.json").write_text(json.dumps(pools))
    assert read_kit(tmp_path / "pools_1.json", pools_json.parent).pool("CORE")[0].path.is_file()


@pytest.mark.parametrize(
    ("pools", "words"),
    [
        ([], "a pools file is a mapping"),
        ({"CORE_POOL": []}, "0 samples in its pools"),
        ({"CORE_POOL": {}}, "CORE_POOL holds dict"),
        ({"CORE_POOL": [{"sample_id": "a"}]}, r"CORE_POOL\[0\] has no sample_id and filepath"),
        ({"CORE_POOL": [{"sample_id": "a", "filepath": "a.wav", "confidence": "high"}]}, "confidence is 'high'"),
    ],
)
def test_what_is_no_pools_file_is_refused(tmp_path: Path, pools, words: str):
    (tmp_path / "pools_1.json").write_text(json.dumps(pools))
    with pytest.raises(BadInput, match=words):
        read_kit(tmp_path / "pools_1.json")


def test_an_unknown_sample_suggests_the_nearest(kit: Kit):
    with pytest.raises(BadInput, match="did you mean 'dummy_00007'"):
        kit.piece("dumy_00007")


def test_sounds_are_loaded_at_the_rate_asked_for_and_only_those(kit: Kit):
    sounds = load_sounds(kit, 22_050, ["dummy_00005"])
    assert list(sounds) == ["dummy_00005"]
    assert (sounds["dummy_00005"].rate_hz, sounds["dummy_00005"].channels) == (22_050, 2)
