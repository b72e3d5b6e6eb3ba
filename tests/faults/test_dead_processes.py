"""A dead model and a dead server come back by themselves."""

import os
import signal
import threading
import time

import pytest
from echo_model import ECHO
from served_house import SERVED, open_house, stub_of

from models.music.errors import ServingError, Unavailable
from serving.contracts.groove import GROOVE
from serving.watchdog import Watchdog


@pytest.fixture(scope="module")
def house(empty_store, tmp_path_factory):
    """A house of their own: these tests kill its server."""
    yield from open_house(tmp_path_factory.mktemp("dying"), empty_store)


@pytest.fixture
def watched(house):
    watchdog = Watchdog(house.server, lambda: SERVED)
    stopped = threading.Event()
    thread = threading.Thread(target=watchdog.watch, args=(stopped,))
    thread.start()
    yield watchdog
    stopped.set()
    thread.join()


def until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.02)


def test_a_dead_model_is_noticed_within_two_seconds_and_brought_back(house, client, watched, caplog):
    os.kill(stub_of(house.server, "echo").pid, signal.SIGKILL)
    died = time.time()
    with pytest.raises(Unavailable, match="the model's process has died"):
        client.prove(ECHO)
    until(lambda: watched.revivals["echo"] == 1, 20)
    noticed = next(record.created for record in caplog.records if "echo does not answer" in record.getMessage())
    assert noticed - died < 2.0
    assert client.prove(ECHO)
    assert "echo brought back in" in caplog.text


def test_a_model_of_two_processes_that_lost_one_gets_two_again(house, client, watched):
    assert house.server.processes("groove") == {1: 2}
    os.kill(stub_of(house.server, "groove").pid, signal.SIGKILL)
    until(lambda: watched.revivals["groove"] == 1, 30)
    assert house.server.processes("groove") == {1: 2}
    assert client.prove(GROOVE)


def test_a_dead_server_comes_back_at_its_address_for_the_same_client(house, client, watched):
    client.prove(ECHO)
    os.kill(house.server.pid, signal.SIGKILL)
    until(lambda: watched.revivals["server"] == 1, 30)

    def answers():
        try:
            return client.prove(ECHO)
        except ServingError:
            return None

    until(answers, 3)
    assert client.prove(ECHO).model_version == 1
