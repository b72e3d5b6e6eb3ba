"""A stream whose model dies, is replaced or is merely slow: its listener hears the truth, and the next request is answered."""

import contextlib
import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from counting_model import COUNTING, DIE
from remembering_model import REMEMBERING
from served_house import TOYS, add_toy, house_of_toys, stub_of

from models.music.errors import ServingError, Unavailable
from serving.client import JamflowClient
from serving.contract import Patience
from serving.control import Control
from serving.repository import Repository
from serving.watchdog import Watchdog, answers


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    """A server of their own: these tests kill its models."""
    yield from house_of_toys(tmp_path_factory.mktemp("toys"))


TOLD = r"(the model's process has died while it played|nobody answers).*"
"""Where a process is killed while it holds what it shares with Triton, Triton falls with it, now and then, and is restarted."""


@pytest.fixture
def client(toys):
    if not toys.running:  # a test before took Triton down, and the thread that restarted it has ended
        toys.restart()
        with contextlib.closing(Control(toys.endpoint)) as control:
            for contract in TOYS:
                control.load(contract.name)
    with JamflowClient(toys.grpc_url) as client:
        yield client


def asking(contract, upto, **more):
    kinds = {"pause_ms": np.float32, "order": np.int32}
    first = contract.inputs[0].name
    return {first: np.array([upto], np.int32), **{name: np.array([v], kinds[name]) for name, v in more.items()}}


def numbers(parts):
    return [int(part.arrays["number"][0]) for part in parts]


class Watching:
    """A watchdog at work."""

    def __init__(self, server, contracts):
        self.dog = Watchdog(server, lambda: contracts)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self.dog.watch, args=(self._stopped,))

    def __enter__(self):
        self._thread.start()
        return self.dog

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join()


def until_proved(client, contract, seconds=20.0):
    end = time.monotonic() + seconds
    while True:
        try:
            return client.prove(contract)
        except ServingError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


@pytest.mark.parametrize("contract", [COUNTING, REMEMBERING], ids=lambda contract: contract.name)
def test_a_process_killed_in_mid_stream_is_told_at_once_and_the_next_request_is_answered(toys, client, contract):
    with Watching(toys, TOYS) as dog:
        patient = 60.0
        if contract.mode == "session":
            parts = client.session(contract, patient).ask(asking(contract, 10_000, pause_ms=20))
        else:
            parts = client.stream(contract, asking(contract, 10_000, pause_ms=20), patient)
        assert numbers([next(parts), next(parts)]) == [0, 1]
        os.kill(stub_of(toys, contract.name).pid, signal.SIGKILL)
        killed = time.monotonic()
        with pytest.raises(Unavailable, match=TOLD):
            list(parts)
        assert time.monotonic() - killed < 3.0
        assert until_proved(client, contract)
        assert dog.revivals[contract.name] + dog.revivals["server"] == 1


def test_a_process_that_ends_itself_is_told_as_well(toys, client):
    with Watching(toys, TOYS):
        heard = []
        with pytest.raises(Unavailable, match=TOLD):
            for part in client.stream(COUNTING, asking(COUNTING, 6, order=DIE), 60.0):
                heard += numbers([part])
        assert heard == [0, 1, 2]
        assert until_proved(client, COUNTING)


def test_a_model_that_is_loaded_again_asks_for_a_moment_not_for_a_deployment(toys, client):
    with contextlib.closing(Control(toys.endpoint)) as control:
        control.unload("counting")
        with pytest.raises(Unavailable, match=r"is being loaded .*Ask again in a few seconds"):
            client.prove(COUNTING)
        control.load("counting")
    with pytest.raises(Unavailable, match="Ask again in a few seconds; if it stays away"):
        client.prove(replace(COUNTING, name="nobody"))
    assert until_proved(client, COUNTING)


def test_a_stream_ends_whole_on_its_old_version_while_a_new_one_takes_over(toys, client):
    old = client.prove(COUNTING).model_version
    playing = client.stream(COUNTING, asking(COUNTING, 200, pause_ms=20))
    next(playing)
    new_version(toys, COUNTING, old + 1)
    assert client.prove(COUNTING).model_version == old + 1
    rest = list(playing)
    assert numbers(rest) == list(range(1, 200))
    assert {part.model_version for part in rest} == {old}


def test_a_session_s_answer_ends_whole_on_its_old_version_and_the_next_one_says_so(toys, client):
    old = client.prove(REMEMBERING).model_version
    with client.session(REMEMBERING) as session:
        playing = session.ask(asking(REMEMBERING, 200, pause_ms=20))
        next(playing)
        new_version(toys, REMEMBERING, old + 1)
        rest = list(playing)
        assert numbers(rest) == list(range(1, 200))
        assert {part.model_version for part in rest} == {old}
        with pytest.raises(
            Unavailable, match=r"this session has ended: .*another model took its place\. Open a new one"
        ):
            list(session.ask(asking(REMEMBERING, 1)))
    with client.session(REMEMBERING) as another:
        assert next(another.ask(asking(REMEMBERING, 1))).model_version == old + 1


def test_a_busy_model_is_not_hung_and_no_canary_disturbs_it(toys, client):
    """It plays for longer than its patience, part by part."""
    hasty = replace(COUNTING, patience=Patience(first_s=1.0, between_s=1.0, canary_s=0.5))
    before = canaries(toys)
    with Watching(toys, [hasty]) as dog:
        assert len(list(client.stream(COUNTING, asking(COUNTING, 20, pause_ms=200)))) == 20
        assert canaries(toys) - before <= 2  # one request is ours
    assert not dog.revivals


def test_a_model_that_hangs_for_longer_than_its_patience_is_brought_back(toys, client, caplog):
    hasty = replace(COUNTING, patience=Patience(first_s=1.0, between_s=1.0, canary_s=0.5))
    places = COUNTING.capacity.at_once + COUNTING.capacity.waiting
    hanging = [client.stream(COUNTING, asking(COUNTING, 2, pause_ms=8000)) for _ in range(places)]
    with Watching(toys, [hasty]) as dog:
        end = time.monotonic() + 20
        while not dog.revivals["counting"]:
            assert time.monotonic() < end
            time.sleep(0.1)
    for parts in hanging:
        parts.close()
    assert "nothing was heard of it for" in caplog.text
    assert until_proved(client, COUNTING)


def canaries(toys):
    return answers(toys.endpoint.metrics_url)["nv_inference_request_success", "counting"]


def new_version(toys, contract, version):
    folder = toys.repository.parent / "model"
    add_toy(contract, toys.repository, version, folder)
    with contextlib.closing(Control(toys.endpoint)) as control:
        control.load(contract.name)
    assert Repository(toys.repository).versions(contract.name)[-1] == version
