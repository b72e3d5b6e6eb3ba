"""HTDemucs is loaded by its true code from a tiny random model, and refuses what is not weights."""

import pickle
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from models.music.audio import Audio, read_audio, write_audio
from models.music.errors import BadAudio, BadInput

torch = pytest.importorskip("torch")

from models.separation.htdemucs import HTDemucs, write_drum_stems  # noqa: E402

SIZES = {
    "sources": ["drums", "bass", "other", "vocals"],
    "channels": 8,
    "dconv_comp": 2,
    "dconv_depth": 1,
    "depth": 2,
    "nfft": 512,
    "t_layers": 1,
    "t_heads": 2,
    "bottom_channels": 16,
    "segment": Fraction(1),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A bag of one tiny random model, saved as demucs saves them."""
    from demucs.htdemucs import HTDemucs as Network
    from demucs.states import save_with_checksum

    torch.manual_seed(0)
    network, place = Network(**SIZES), tmp_path_factory.mktemp("tiny")
    package = {"klass": Network, "args": [], "kwargs": SIZES, "state": network.state_dict(), "training_args": {}}
    save_with_checksum(package, place / "tiny.th")
    (place / "bag.yaml").write_text('models: ["tiny"]\n')
    return place


def song(channels: int = 1, rate_hz: int = 22_050) -> Audio:
    noise = np.random.default_rng(0).standard_normal((channels, rate_hz)) * 0.1
    return Audio(noise.astype(np.float32), rate_hz, "song.wav")


@pytest.mark.parametrize(("channels", "rate_hz"), [(1, 22_050), (2, 44_100)])
def test_drums_come_back_as_the_song_was_and_the_same_each_time(folder, channels, rate_hz):
    separator, given = HTDemucs.load(folder), song(channels, rate_hz)
    drums = separator.drums(given)
    assert (drums.samples.shape, drums.rate_hz) == (given.samples.shape, given.rate_hz)
    np.testing.assert_array_equal(drums.samples, separator.drums(given).samples)


def test_silence_stays_finite(folder):
    drums = HTDemucs.load(folder).drums(Audio(np.zeros((2, 44_100), np.float32), 44_100))
    assert drums.peak < 1e-3


def test_a_folder_of_songs_becomes_a_folder_of_drums(folder, tmp_path):
    write_audio(tmp_path / "songs/deep/a.wav", song())
    (tmp_path / "songs/b.mp3").write_text("not a sound")
    separator = HTDemucs.load(folder)
    with pytest.raises(BadAudio, match=r"b\.mp3"):
        write_drum_stems(tmp_path / "songs", tmp_path / "stems", separator)
    assert not (tmp_path / "stems").exists()
    assert write_drum_stems(tmp_path / "songs", tmp_path / "stems", separator, skip_bad=True) == 1
    assert read_audio(tmp_path / "stems/deep/a.wav").frames == song().frames


def test_a_name_without_weights_or_network_fails_at_once(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)
    began = time.monotonic()
    with pytest.raises(BadInput, match=r"htdemucs: htdemucs\.yaml is not cached .* --no-separation"):
        HTDemucs.load("htdemucs")
    assert time.monotonic() - began < 5


def test_a_missing_folder_is_no_name():
    with pytest.raises(BadInput, match="no/such: no such folder"):
        HTDemucs.load("no/such")


class _Attack:
    def __reduce__(self):
        return (Path.touch, (Path("pwned"),))


def test_a_pickle_in_place_of_weights_is_refused_and_does_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model/evil.th").write_bytes(pickle.dumps(_Attack()))
    with pytest.raises(BadInput, match=r"evil\.th: not weights that can be trusted"):
        HTDemucs.load(tmp_path / "model")
    torch.save({"klass": _Attack(), "state": {}}, tmp_path / "model/evil.th")
    with pytest.raises(BadInput, match=r"evil\.th: not weights that can be trusted"):
        HTDemucs.load(tmp_path / "model")
    assert not (tmp_path / "pwned").exists()


def test_safetensors_that_ask_for_another_class_are_refused(tmp_path):
    from safetensors.torch import save_file

    about = {"klass": "subprocess.Popen", "args": '["true"]', "kwargs": "{}"}
    save_file({"w": torch.zeros(1)}, tmp_path / "evil.safetensors", metadata=about)
    with pytest.raises(BadInput, match=r"evil\.safetensors: it asks for 'subprocess\.Popen'"):
        HTDemucs.load(tmp_path)
