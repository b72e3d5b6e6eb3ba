"""A separator on the real Triton: the same stems as in process, in the song's own shape, and no more than was agreed."""

from contextlib import closing

import numpy as np
import pytest
import torch

from models.learning.checkpoint import save_model
from models.music.audio import Audio
from models.music.errors import BadInput
from models.separation.locoformer.config import TINY
from models.separation.locoformer.network import KIND, Locoformer
from models.separation.songs import STEMS
from models.separation.stems import load_separator, separate
from serving.client import JamflowClient
from serving.contracts.separator import SEPARATOR, STEM_NAMES, separator, whole_stems
from serving.contracts.song import MAX_FRAMES
from serving.control import Control
from serving.repository import Repository
from serving.server import TritonServer


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return save_model(tmp_path_factory.mktemp("separator") / "model", Locoformer(TINY), TINY, KIND)


@pytest.fixture(scope="module")
def client(model, tmp_path_factory):
    scores = Repository(tmp_path_factory.mktemp("served") / "repository")
    scores.add(SEPARATOR, 1, model)
    scores.serve(SEPARATOR, [1])
    with TritonServer(scores.folder) as server, closing(Control(server.endpoint)) as control:
        control.load("separator")
        with JamflowClient(server.grpc_url) as client:
            yield client


def song(channels: int, rate_hz: int) -> Audio:
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (channels, 2 * rate_hz + 1))
    return Audio(noise.astype(np.float32), rate_hz, "song")


@pytest.mark.parametrize(("channels", "rate_hz"), [(2, 44_100), (1, 22_050)])
def test_a_served_separator_gives_what_it_gives_in_process(client, model, channels, rate_hz):
    given = song(channels, rate_hz)
    here, there = separate(given, load_separator(model)), whole_stems(client, given)
    assert list(there) == list(STEMS)
    for name, stem in there.items():
        assert (stem.rate_hz, stem.samples.shape) == (rate_hz, given.samples.shape)
        np.testing.assert_allclose(stem.samples, here[name].samples, atol=1e-4)


def test_stems_leave_part_by_part(client):
    parts = list(separator(client, song(2, 44_100)))
    assert len(parts) > 1
    assert sum(part["drums"].frames for part in parts) == 2 * 44_100 + 1


def test_a_song_that_is_too_long_is_refused_before_it_is_sent():
    long = np.lib.stride_tricks.as_strided(np.zeros(1, np.float32), (2, MAX_FRAMES + 1), (0, 0))
    with pytest.raises(BadInput, match=rf"mixture has shape \[2, {MAX_FRAMES + 1}\]; give float32 \[2, t\]"):
        SEPARATOR.check({"mixture": long, "rate": np.array([44_100], np.int32)})


def test_what_is_no_sound_is_refused_by_name():
    mixture = np.zeros((2, 10), np.float32)
    mixture[1, 3] = np.nan
    with pytest.raises(BadInput, match="separator: mixture holds NaN or infinity at 13"):
        SEPARATOR.check({"mixture": mixture, "rate": np.array([44_100], np.int32)})


def test_stems_are_numbered_as_the_models_number_them():
    assert STEM_NAMES == STEMS
