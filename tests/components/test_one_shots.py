"""What the stages of the roles compose."""

from __future__ import annotations

from components.one_shots import PACK_SOUNDS, PACKS, bring_one_shots
from models.drums.roles.learned.dataset import PRACTICE, find_labelled
from models.practice.drum_sounds import KINDS
from models.practice.one_shots import write_one_shots
from models.practice.palette import PALETTE


def test_practice_packs_have_makers_and_sounds_for_everyone(tmp_path):
    bring_one_shots("practice", tmp_path / "one-shots", practice_sounds=1, seed=0)
    shots = find_labelled(tmp_path / "one-shots")
    assert len(shots) == len(KINDS) * (PACKS * PACK_SOUNDS + 1) + sum(PALETTE.values())
    assert {shot.maker for shot in shots} == {*(f"pack_{n}" for n in range(1, PACKS + 1)), PRACTICE}


def test_given_packs_keep_their_makers_beside_the_practice_room(tmp_path):
    write_one_shots(tmp_path / "mine" / "anna", 1, seed=1)
    digest = bring_one_shots(str(tmp_path / "mine"), tmp_path / "one-shots", practice_sounds=1, seed=0)
    assert len(digest) == 12
    assert {shot.maker for shot in find_labelled(tmp_path / "one-shots")} == {"anna", PRACTICE}
    bring_one_shots(str(tmp_path / "mine"), tmp_path / "alone", practice_sounds=0, seed=0)
    assert {shot.maker for shot in find_labelled(tmp_path / "alone")} == {"anna"}
