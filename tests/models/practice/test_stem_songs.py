"""Practice songs to separate are their split and number, and the unfamiliar ones are played by others."""

import numpy as np
import pytest

from models.music.audio import read_audio
from models.music.errors import BadConfig
from models.practice.instruments import (
    BASSES,
    KEYS,
    SINGERS,
    UNFAMILIAR_BASSES,
    UNFAMILIAR_KEYS,
    UNFAMILIAR_SINGERS,
    Synth,
)
from models.practice.songs import STEMS
from models.practice.stem_songs import FAMILIAR, UNFAMILIAR, stem_song, write_stem_songs

EVERYBODY = {**BASSES, **KEYS, **SINGERS, **UNFAMILIAR_BASSES, **UNFAMILIAR_KEYS, **UNFAMILIAR_SINGERS}


def test_a_song_is_its_split_and_number():
    one, same = stem_song("test", 1, 3.0, 16_000), stem_song("test", 1, 3.0, 16_000)
    others = [stem_song("test", 2, 3.0, 16_000), stem_song("train", 1, 3.0, 16_000)]
    for stem in STEMS:
        np.testing.assert_array_equal(one[stem].samples, same[stem].samples)
    for other in others:
        assert not np.array_equal(one["drums"].samples, other["drums"].samples)


@pytest.mark.parametrize("split", ["train", "unfamiliar"])
def test_stems_are_stereo_as_long_as_asked_and_never_clip(split):
    song = stem_song(split, 0, 3.0, 16_000)
    assert list(song) == list(STEMS)
    assert {stem.samples.shape for stem in song.values()} == {(2, 48_000)}
    assert np.abs(sum(stem.samples for stem in song.values())).max() == pytest.approx(0.8, abs=1e-4)


@pytest.mark.parametrize("name", EVERYBODY)
def test_everybody_is_heard_and_ends_without_a_click(name):
    sound = EVERYBODY[name](Synth(np.random.default_rng(0), 16_000), 55, 0.4)
    assert len(sound) == 6400
    assert 0.02 < np.sqrt(np.mean(sound**2)) < 3
    assert abs(sound[-1]) < 0.05


def test_the_unfamiliar_share_nothing_with_the_others():
    assert UNFAMILIAR.tempos_bpm[0] > FAMILIAR.tempos_bpm[1]
    for theirs, ours in ((UNFAMILIAR.basses, FAMILIAR.basses), (UNFAMILIAR.keys, FAMILIAR.keys)):
        assert not set(theirs) & set(ours)
    assert not set(UNFAMILIAR.singers) & set(FAMILIAR.singers)
    assert not set(UNFAMILIAR.drum_speeds) & set(FAMILIAR.drum_speeds)


def test_songs_lie_as_separation_data_do_and_are_made_once(tmp_path):
    folder = write_stem_songs(tmp_path / "songs", {"train": 2, "test": 1}, 1.0, 16_000)
    written = {file: file.stat().st_mtime_ns for file in folder.rglob("*.wav")}
    assert len(written) == 12
    assert read_audio(folder / "test" / "0000" / "vocals.wav").seconds == pytest.approx(1.0)
    write_stem_songs(folder, {"train": 2, "test": 1}, 1.0, 16_000)
    assert written == {file: file.stat().st_mtime_ns for file in folder.rglob("*.wav")}


def test_an_unknown_split_is_told_its_neighbour():
    with pytest.raises(BadConfig, match="did you mean 'train'"):
        stem_song("trian", 0)
