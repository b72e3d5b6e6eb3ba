"""Drum sounds as wide as a library."""

from __future__ import annotations

import numpy as np
import pytest

from models.drums.roles.learned.dataset import PRACTICE, find_labelled
from models.music.errors import BadConfig
from models.practice.drum_sounds import KINDS
from models.practice.one_shots import write_library
from models.practice.palette import PALETTE, palette_sound


@pytest.mark.parametrize("kind", PALETTE)
def test_every_recipe_sounds_and_each_seed_sounds_otherwise(kind):
    sounds = [palette_sound(kind, np.random.default_rng(seed)) for seed in range(8 * PALETTE[kind])]
    assert len({sound.label for sound in sounds}) > PALETTE[kind] // 2
    for sound in sounds:
        assert np.isfinite(sound.samples).all()
        assert np.abs(sound.samples).max() == pytest.approx(0.9, abs=1e-4)
    assert len({sound.samples.tobytes() for sound in sounds}) == len(sounds)
    assert palette_sound(kind, np.random.default_rng(0)).samples.tobytes() == sounds[0].samples.tobytes()


def test_an_unknown_sound_is_told_its_neighbour():
    with pytest.raises(BadConfig, match="rim"):
        palette_sound("rimm", np.random.default_rng(0))


def test_a_library_has_a_label_for_every_sound(tmp_path):
    count = write_library(tmp_path / PRACTICE, 1, seed=0)
    assert count == len(KINDS) + sum(PALETTE.values())
    shots = find_labelled(tmp_path)
    assert len(shots) == count
    assert {shot.label for shot in shots if "/rim/" in shot.path} == {"perc"}
