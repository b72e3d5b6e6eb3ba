"""The doors from a song to its one-shots."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from backstage.tracking import recording
from components.hits import preprocess, separate_drums
from components.songs import take_drums
from models.music.audio import read_audio, write_audio
from models.music.files import read_json
from models.practice.songs import compose
from models.separation import stems


def test_a_practice_song_becomes_one_shots_with_a_picture(tmp_path):
    song = write_audio(tmp_path / "drums.wav", compose(np.random.default_rng(1), bars=1).stems["drums"])
    given, made = SimpleNamespace(path=str(song)), SimpleNamespace(path=str(tmp_path / "hits"))
    with recording(tmp_path / "record") as record:
        count = preprocess.python_func(given, made, separation=False)
    assert count == len(list((tmp_path / "hits").glob("dummy_*.wav"))) > 3
    assert (record / "picture-onsets.png").is_file()


class Muffler:
    """An engine that hears the song at another rate, takes half of it and gives pieces of its own length."""

    stems, rate_hz, channels = ("drums", "other"), 32_000, 2

    def parts(self, song: Iterator[np.ndarray], middle: float, spread: float) -> Iterator[np.ndarray]:
        for piece in song:
            for half in np.array_split(piece, 2, axis=1):
                yield np.stack([(half - middle) / 2, half / 2])


def test_every_stage_that_takes_drums_out_gives_the_same_drums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stems, "ENGINES", {"htdemucs": lambda _: Muffler()})
    song = compose(np.random.default_rng(1), bars=5).mix
    write_audio(tmp_path / "songs" / "mixes" / "song.wav", song)

    def at(*names: str) -> SimpleNamespace:
        return SimpleNamespace(path=str(tmp_path.joinpath(*names)))

    assert separate_drums.python_func(at("songs", "mixes"), at("whole"), "mine") == 1
    assert take_drums.python_func(at("songs"), at("taken"), "mixes/song.wav", "mine") == 1
    assert (tmp_path / "taken" / "song.wav").read_bytes() == (tmp_path / "whole" / "song.wav").read_bytes()

    with recording(tmp_path / "record"):
        cut_from_song = preprocess.python_func(at("songs", "mixes"), at("a"), model="mine")
        cut_from_drums = preprocess.python_func(at("whole"), at("b"), separation=False)
    assert cut_from_song == cut_from_drums > 3
    assert read_json(tmp_path / "a" / "index.json") == read_json(tmp_path / "b" / "index.json")
    for hit in (tmp_path / "a").glob("*.wav"):  # brought to a peak, and so the 24 bits on the way with it
        np.testing.assert_allclose(read_audio(hit).samples, read_audio(tmp_path / "b" / hit.name).samples, atol=1e-5)
