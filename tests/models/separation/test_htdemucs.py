"""HTDemucs is loaded by its true code from a tiny random model, and refuses what is not weights."""

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from halver import tiny_htdemucs

from models.music.audio import Audio
from models.music.errors import BadInput
from models.separation.stems import load_separator, separate

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tiny_htdemucs(tmp_path_factory.mktemp("tiny"))


def song(channels: int = 1, rate_hz: int = 22_050) -> Audio:
    noise = np.random.default_rng(0).standard_normal((channels, rate_hz)) * 0.1
    return Audio(noise.astype(np.float32), rate_hz, "song.wav")


def drums_of(song: Audio, folder: Path) -> Audio:
    return separate(song, load_separator(folder, "drums"))["drums"]


@pytest.mark.parametrize(("channels", "rate_hz"), [(1, 22_050), (2, 44_100)])
def test_drums_come_back_as_the_song_was_and_the_same_each_time(folder, channels, rate_hz):
    given = song(channels, rate_hz)
    drums = drums_of(given, folder)
    assert (drums.samples.shape, drums.rate_hz) == (given.samples.shape, given.rate_hz)
    np.testing.assert_array_equal(drums.samples, drums_of(given, folder).samples)


@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.6])
def test_parts_join_to_what_demucs_makes_of_the_whole(folder, seconds: float):
    from demucs.apply import apply_model

    separator = load_separator(folder)
    mixture = torch.from_numpy(np.random.default_rng(1).standard_normal((2, int(seconds * 44_100))).astype(np.float32))
    middle, spread = 0.01, 0.9
    pieces = iter([piece.numpy() for piece in mixture.split(30_000, dim=1)])
    found = np.concatenate(list(separator.parts(pieces, middle, spread)), axis=-1)
    network = separator.network  # type: ignore[attr-defined]
    with torch.inference_mode():
        whole = apply_model(network, ((mixture - middle) / (spread + 1e-8))[None], shifts=0, overlap=0.25)[0]
    np.testing.assert_allclose(found, (whole * spread + middle).numpy(), atol=1e-6)


def test_a_part_leaves_before_the_rest_is_heard(folder):
    separator, taken = load_separator(folder), []

    def pieces() -> Iterator[np.ndarray]:
        for number in range(20):
            taken.append(number)
            yield song(2, 44_100).samples

    next(separator.parts(pieces(), 0.0, 0.1))
    assert len(taken) <= 3


def test_silence_stays_finite(folder):
    assert drums_of(Audio(np.zeros((2, 44_100), np.float32), 44_100), folder).peak < 1e-3


def test_a_stem_that_a_model_does_not_know_is_named(folder):
    with pytest.raises(BadInput, match="its stems are drums, bass, other, vocals; one called piano is needed"):
        load_separator(folder, "piano")


def test_a_missing_folder_is_no_name():
    with pytest.raises(BadInput, match="no/such: no such folder"):
        load_separator("no/such")


class _Attack:
    def __reduce__(self):
        return (Path.touch, (Path("pwned"),))


def test_a_pickle_in_place_of_weights_is_refused_and_does_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model/evil.th").write_bytes(pickle.dumps(_Attack()))
    with pytest.raises(BadInput, match=r"evil\.th: not weights that can be trusted"):
        load_separator(tmp_path / "model")
    torch.save({"klass": _Attack(), "state": {}}, tmp_path / "model/evil.th")
    with pytest.raises(BadInput, match=r"evil\.th: not weights that can be trusted"):
        load_separator(tmp_path / "model")
    assert not (tmp_path / "pwned").exists()


def test_safetensors_that_ask_for_another_class_are_refused(tmp_path):
    from safetensors.torch import save_file

    about = {"klass": "subprocess.Popen", "args": '["true"]', "kwargs": "{}"}
    save_file({"w": torch.zeros(1)}, tmp_path / "evil.safetensors", metadata=about)
    with pytest.raises(BadInput, match=r"evil\.safetensors: it asks for 'subprocess\.Popen'"):
        load_separator(tmp_path)
