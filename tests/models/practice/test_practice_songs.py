"""The practice room's sounds and songs are what they say they are."""

import numpy as np
import pytest

from models.music.audio import read_audio
from models.music.errors import BadConfig
from models.music.files import read_json
from models.practice.drum_sounds import KINDS, drum_kit, synthesise
from models.practice.songs import STEMS, compose, write_song


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_is_its_seed(kind: str):
    first, again, other = (synthesise(kind, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.samples, again.samples)
    assert first.frames != other.frames
    assert first.peak == pytest.approx(0.9, abs=1e-5)
    assert abs(first.samples[0, -1]) < 1e-3


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "fx"])
def test_a_struck_sound_begins_at_once(kind: str):
    for seed in range(6):
        sound = np.abs(synthesise(kind, np.random.default_rng(seed)).samples[0])
        assert (sound >= 0.03 * sound.max()).argmax() < 0.001 * 44_100


def test_a_kit_has_every_kind_at_any_rate():
    kit = drum_kit(np.random.default_rng(3), 16_000)
    assert set(kit) == set(KINDS)
    assert {sound.rate_hz for sound in kit.values()} == {16_000}


def test_an_unknown_kind_is_told_its_neighbour():
    with pytest.raises(BadConfig, match="did you mean 'snare'"):
        synthesise("snair", np.random.default_rng(0))


def test_stems_add_up_to_the_mix_and_hits_lie_where_they_sound(tmp_path):
    song = compose(np.random.default_rng(7), bars=2)
    np.testing.assert_allclose(sum(stem.samples for stem in song.stems.values()), song.mix.samples, atol=1e-5)
    assert set(song.stems) == set(STEMS)
    assert song.mix.peak < 1
    drums, first = np.abs(song.stems["drums"].samples[0]), round(song.hits[0].seconds * song.mix.rate_hz)
    assert drums[:first].max(initial=0) == 0
    assert drums[first : first + 441].max() > 0.01
    folder = write_song(tmp_path / "song", song)
    assert read_audio(folder / "drums.wav").frames == song.mix.frames
    assert len(read_json(folder / "hits.json")) == len(song.hits)


def test_a_song_is_its_seed():
    one, same, other = (compose(np.random.default_rng(seed), bars=1) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.mix.samples, same.mix.samples)
    assert [h.seconds for h in one.hits] != [h.seconds for h in other.hits]
