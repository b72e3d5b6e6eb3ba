"""A separator that plays along on the real Triton: many streams at once, each what it would be alone, none for ever."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest
import torch

from models.learning.checkpoint import save_model
from models.music.errors import BadInput, Refused
from models.separation.realtime.config import LIVE, TINY
from models.separation.realtime.engine import LiveEngine
from models.separation.realtime.network import KIND, Live
from models.separation.stems import apart
from serving.backends import open_player
from serving.client import JamflowClient
from serving.contracts.separator_live import (
    BLOCK_FRAMES,
    DELAY_FRAMES,
    RATE_HZ,
    SEPARATOR_LIVE,
    STEM_NAMES,
    live_stems,
)
from serving.control import Control
from serving.in_process import InProcess
from serving.repository import Repository
from serving.server import TritonServer

BLOCKS = 12


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return save_model(tmp_path_factory.mktemp("live") / "model", Live(TINY), TINY, KIND)


@pytest.fixture(scope="module")
def server(model, tmp_path_factory):
    scores = Repository(tmp_path_factory.mktemp("served") / "repository")
    scores.add(SEPARATOR_LIVE, 1, model)
    scores.serve(SEPARATOR_LIVE, [1])
    with TritonServer(scores.folder) as server, closing(Control(server.endpoint)) as control:
        control.load("separator_live")
        yield server


@pytest.fixture
def client(server):
    with JamflowClient(server.grpc_url, 20.0) as client:
        yield client


def song(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.3, 0.3, (2, BLOCKS * BLOCK_FRAMES)).astype(np.float32)


def played(asker, mixture: np.ndarray, hops: int = 1) -> np.ndarray:
    """Stream a song: its stems [s, 2, t], the delay taken off."""
    blocks = np.split(np.pad(mixture, ((0, 0), (0, DELAY_FRAMES * hops))), BLOCKS // hops + 1, axis=1)
    with asker.session(SEPARATOR_LIVE) as session:
        found = [np.stack(list(live_stems(session, block).values())) for block in blocks]
    return np.concatenate(found, axis=-1)[..., DELAY_FRAMES : DELAY_FRAMES + mixture.shape[1]]


@pytest.mark.parametrize("hops", [1, 4])
def test_a_stream_gives_what_the_whole_song_gives(client, model, hops):
    whole = apart(song(0), LiveEngine.load(model))
    np.testing.assert_allclose(played(client, song(0), hops), whole, atol=1e-5)
    np.testing.assert_allclose(played(InProcess(model), song(0), hops), whole, atol=1e-5)


def test_many_streams_at_once_mix_nothing_up(server, model):
    def listen(seed: int) -> np.ndarray:
        with JamflowClient(server.grpc_url, 30.0) as client:
            return played(client, song(seed))

    with ThreadPoolExecutor(8) as listeners:
        heard = list(listeners.map(listen, range(16)))
    engine = LiveEngine.load(model)
    for seed, stems in enumerate(heard):
        np.testing.assert_allclose(stems, apart(song(seed), engine), atol=1e-5)


def test_blocks_that_are_asked_for_ahead_are_answered_in_order(client, model):
    blocks = np.split(song(3), BLOCKS, axis=1)
    with client.session(SEPARATOR_LIVE) as session:
        asked = [session.ask({"block": block}) for block in blocks]
        found = [part.arrays["stems"] for parts in asked for part in parts]
    whole = apart(song(3), LiveEngine.load(model))
    np.testing.assert_allclose(np.concatenate(found, -1)[..., DELAY_FRAMES:], whole[..., :-DELAY_FRAMES], atol=1e-5)


def test_a_bad_block_is_refused_by_name_and_the_stream_goes_on(client, model):
    first, *rest = np.split(song(0), BLOCKS, axis=1)
    with client.session(SEPARATOR_LIVE) as session:
        found = [np.stack(list(live_stems(session, first).values()))]
        with pytest.raises(BadInput, match=r"block has shape \[2, 100\]; give float32 \[2, t\] with t from 512"):
            live_stems(session, first[:, :100])
        with pytest.raises(BadInput, match="separator_live: block holds NaN or infinity at 0"):
            live_stems(session, np.full_like(first, np.nan))
        with pytest.raises(Refused, match="separator_live: block has 1 frames too many; give a multiple of 512"):
            live_stems(session, np.pad(first, ((0, 0), (0, 1))))
        found += [np.stack(list(live_stems(session, block).values())) for block in rest]
    whole = apart(song(0), LiveEngine.load(model))
    np.testing.assert_allclose(np.concatenate(found, -1)[..., DELAY_FRAMES:], whole[..., :-DELAY_FRAMES], atol=1e-5)


def test_a_stream_keeps_little_enough_for_every_place(model):
    stream = open_player("separator_live", model).open()
    for block in np.split(song(0), BLOCKS, axis=1):
        list(stream.parts({"block": block}, lambda: False))
    capacity = SEPARATOR_LIVE.capacity
    assert stream.nbytes == stream._state.nbytes, "it does not grow with the song"
    assert capacity.sessions * Live(LIVE).begin().nbytes < capacity.memory_mb * 1e6


def test_the_wire_tells_what_the_model_does():
    assert (LIVE.rate_hz, LIVE.delay_samples, LIVE.stems) == (RATE_HZ, DELAY_FRAMES, STEM_NAMES)
    assert LIVE.latency_samples == DELAY_FRAMES + BLOCK_FRAMES


def test_a_model_with_another_delay_is_not_served(tmp_path):
    config = dataclasses.replace(TINY, hop=256)
    save_model(tmp_path / "model", Live(config), config, KIND)
    with pytest.raises(BadInput, match="256 samples late; drums, bass, other, vocals at 44100, 512 late are served"):
        open_player("separator_live", tmp_path / "model")
