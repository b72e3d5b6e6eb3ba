"""The doors from a song to its one-shots."""

from types import SimpleNamespace

import numpy as np

from backstage.tracking import recording
from components.hits import preprocess
from models.music.audio import write_audio
from models.practice.songs import compose


def test_a_practice_song_becomes_one_shots_with_a_picture(tmp_path):
    song = write_audio(tmp_path / "drums.wav", compose(np.random.default_rng(1), bars=1).stems["drums"])
    given, made = SimpleNamespace(path=str(song)), SimpleNamespace(path=str(tmp_path / "hits"))
    with recording(tmp_path / "record") as record:
        count = preprocess.python_func(given, made, separation=False)
    assert count == len(list((tmp_path / "hits").glob("dummy_*.wav"))) > 3
    assert (record / "picture-onsets.png").is_file()
