"""A counterfactual separator on the real Triton: the same parts as in process for the same seed, in order, and by name."""

from contextlib import closing

import numpy as np
import pytest
import torch

from models.learning.checkpoint import save_model
from models.music.audio import Audio
from models.music.errors import BadInput
from models.separation.counterfactual.config import PARTS, TINY
from models.separation.counterfactual.engine import CounterfactualEngine
from models.separation.counterfactual.network import KIND, Counterfactual
from models.separation.sampling import Sampling
from models.separation.stems import separate
from serving.client import JamflowClient
from serving.contracts.counterfactual import COUNTERFACTUAL, PART_NAMES, counterfactual, whole_parts
from serving.contracts.song import MAX_FRAMES
from serving.control import Control
from serving.repository import Repository
from serving.server import TritonServer

RATE_HZ = TINY.rate_hz


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Counterfactual(TINY)
        torch.nn.init.normal_(network.unet.leave[-1].weight, std=0.1)  # type: ignore[arg-type]  (untaught it answers nothing)
        return save_model(tmp_path_factory.mktemp("counterfactual") / "model", network, TINY, KIND)


@pytest.fixture(scope="module")
def client(model, tmp_path_factory):
    scores = Repository(tmp_path_factory.mktemp("served") / "repository")
    scores.add(COUNTERFACTUAL, 1, model)
    scores.serve(COUNTERFACTUAL, [1])
    with TritonServer(scores.folder) as server, closing(Control(server.endpoint)) as control:
        control.load("counterfactual")
        with JamflowClient(server.grpc_url) as client:
            yield client


def song(channels: int = 2, rate_hz: int = RATE_HZ, seconds: float = 0.3) -> Audio:
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (channels, round(seconds * rate_hz)))
    return Audio(noise.astype(np.float32), rate_hz, "song")


@pytest.mark.parametrize(("channels", "rate_hz"), [(2, RATE_HZ), (1, 22_050)])
def test_parts_come_in_order_and_are_those_of_this_process(client, model, channels, rate_hz):
    given = song(channels, rate_hz)
    here = separate(given, CounterfactualEngine.load(model).sampled(Sampling(steps=3, seed=7)))
    parts = list(counterfactual(client, given, steps=3, seed=7))
    assert len(parts) > 1
    for name in PARTS:
        there = np.concatenate([part[name].samples for part in parts], axis=1)
        assert there.shape == given.samples.shape
        np.testing.assert_allclose(there, here[name].samples, atol=1e-3)


def test_the_same_seed_gives_the_same_samples_and_another_gives_others(client):
    once, again, other = (whole_parts(client, song(), steps=2, seed=seed)["vocals"].samples for seed in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert np.abs(once - other).max() > 1e-3


def test_steps_that_nobody_gives_are_the_models_own(client):
    [mine, own] = (whole_parts(client, song(seconds=0.05), steps=steps)["vocals"] for steps in (0, TINY.final_steps))
    np.testing.assert_array_equal(mine.samples, own.samples)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"steps": np.array([201], np.int32)}, "counterfactual: steps is 201; give 1 to 200"),
        ({"seed": np.array([-1], np.int64)}, "counterfactual: seed is -1; give 0 or more"),
        ({"mixture": np.full((2, 9), np.inf, np.float32)}, "counterfactual: mixture holds NaN or infinity at 0"),
        (
            {"mixture": np.broadcast_to(np.float32(0), (2, MAX_FRAMES + 1))},
            rf"mixture has shape \[2, {MAX_FRAMES + 1}\]",
        ),
    ],
)
def test_what_cannot_be_played_is_refused_by_name(asked, words):
    with pytest.raises(BadInput, match=words):
        COUNTERFACTUAL.check({**COUNTERFACTUAL.canary_request(), **asked})


def test_parts_are_numbered_as_the_model_numbers_them():
    assert PART_NAMES == PARTS
