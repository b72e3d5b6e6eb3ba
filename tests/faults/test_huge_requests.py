"""Requests far beyond what a contract allows harm neither the server nor those who ask it for music."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import grpc
import numpy as np
import psutil
import pytest
from served_house import tiny_groove
from tritonclient.grpc import service_pb2_grpc

from models.music.errors import Busy
from serving.calls import spoken
from serving.client import JamflowClient
from serving.contracts.groove import GROOVE
from serving.control import Control
from serving.repository import Repository
from serving.server import SHARED_BYTES, SHARED_MEMORY, TritonServer, largest_file
from serving.watchdog import Watchdog
from serving.wire import request_of

FLOODERS, FLOOD_S, HUGE_BYTES = 4, 3.0, 80_000_000
MEGABYTE = 1_000_000


@pytest.fixture
def server(tmp_path_factory, monkeypatch):
    """A server of its own: its memory is measured."""
    folder = tmp_path_factory.mktemp("flooded")
    monkeypatch.setattr("serving.server.largest_file", lambda: SHARED_BYTES)  # in a house whose models take little
    scores = Repository(folder / "repository")
    scores.add(GROOVE, 1, tiny_groove(folder / "model", seed=1))
    scores.serve(GROOVE, [1])
    with TritonServer(scores.folder) as server, closing(Control(server.endpoint)) as control:
        control.load("groove")
        yield server


def flood(url: str) -> int:
    """Send one huge request after the other, as no client of ours would; count those refused."""
    huge = {**GROOVE.canary_request(), "hits": np.zeros((HUGE_BYTES // 16, 4), np.int32)}
    refused, end = 0, time.monotonic() + FLOOD_S
    with grpc.insecure_channel(url) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        while time.monotonic() < end:
            with pytest.raises(grpc.RpcError, match="shared memory pool"):
                stub.ModelInfer(request_of(GROOVE, huge), timeout=60)
            refused += 1
    return refused


def resident(pid: int) -> int:
    return psutil.Process(pid).memory_info().rss


def shared() -> int:
    """The largest memory that a server of ours shares with a model's process."""
    return max(each.stat().st_size for each in SHARED_MEMORY.glob(f"jamflow_{os.getpid()}_*"))


def test_huge_requests_are_refused_while_another_client_loses_nothing_and_the_memory_comes_back(server):
    watchdog, before = Watchdog(server, lambda: [GROOVE]), resident(server.pid)
    watchdog.look()
    with ThreadPoolExecutor() as pool, JamflowClient(server.grpc_url) as client:
        floods = [pool.submit(flood, server.grpc_url) for _ in range(FLOODERS)]
        answered = 0
        while not all(each.done() for each in floods):
            assert client.prove(GROOVE).arrays["notes"].size
            watchdog.look()
            answered += 1
            time.sleep(0.02)
    refused = sum(each.result() for each in floods)
    assert refused >= FLOODERS
    assert answered > 5
    assert not watchdog.revivals
    assert shared() <= SHARED_BYTES
    end = time.monotonic() + 10
    while resident(server.pid) > before + 60 * MEGABYTE:
        assert time.monotonic() < end, f"{resident(server.pid) // MEGABYTE} MB, {before // MEGABYTE} MB before"
        time.sleep(0.1)


def test_the_limit_holds_the_longest_requests_that_contracts_allow():
    longest = {**GROOVE.canary_request(), "hits": np.zeros((8192, 4), np.int32)}
    assert GROOVE.bytes_in_flight > 32 * sum(array.nbytes for array in longest.values())
    assert largest_file() >= GROOVE.bytes_in_flight


def test_whoever_is_crowded_out_is_told_to_ask_again():
    said = spoken("StatusCode.INTERNAL", "Failed to increase the shared memory pool size for key", "here", 1.0)
    assert isinstance(said, Busy)
    assert "Ask again" in str(said)
