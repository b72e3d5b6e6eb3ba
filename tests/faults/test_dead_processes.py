"""A dead model and a dead server come back by themselves."""

import os
import signal
import subprocess
import threading
import time

import pytest
from counting_model import COUNTING
from echo_model import ECHO
from served_house import SERVED, open_house, stub_of

from models.music.errors import ServingError, Unavailable
from serving import watchdog as watching
from serving.contracts.groove import GROOVE
from serving.look import look
from serving.server import end_orphans
from serving.triton_files import STUB
from serving.watchdog import Watchdog


@pytest.fixture(scope="module")
def house(empty_store, tmp_path_factory):
    """A house of their own: these tests kill its server."""
    yield from open_house(tmp_path_factory.mktemp("dying"), empty_store)


@pytest.fixture(scope="module")
def watched(house):
    """One watchdog for all: a server that it starts again ends with its thread."""
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
    until(lambda: watched.revivals["echo"] == 1, 60)
    noticed = next(record.created for record in caplog.records if "echo does not answer" in record.getMessage())
    assert noticed - died < 2.0
    assert client.prove(ECHO)
    assert "echo brought back in" in caplog.text


def test_a_model_of_two_processes_that_lost_one_gets_two_again(house, client, watched):
    assert house.server.processes()["groove"] == {1: 2}
    os.kill(stub_of(house.server, "groove").pid, signal.SIGKILL)
    until(lambda: watched.revivals["groove"] == 1, 60)
    assert house.server.processes()["groove"] == {1: 2}
    assert client.prove(GROOVE)


def test_a_model_that_was_away_when_it_was_asked_is_left_to_play(house, control):
    watchdog = Watchdog(house.server, lambda: [COUNTING])
    watchdog.look()
    control.unload("counting")
    time.sleep(COUNTING.patience.canary_s)
    watchdog.look()  # asks it how it is
    control.load("counting")
    stub = stub_of(house.server, "counting").pid
    watchdog.look()
    assert not watchdog.revivals
    assert stub_of(house.server, "counting").pid == stub


def test_a_dead_server_comes_back_at_its_address_for_the_same_client(house, client, watched):
    client.prove(ECHO)
    os.kill(house.server.pid, signal.SIGKILL)
    until(lambda: watched.revivals["server"] == 1, 90)

    def answers():
        try:
            return client.prove(ECHO)
        except ServingError:
            return None

    until(answers, 3)
    assert client.prove(ECHO).model_version == 1


def test_a_server_that_hangs_is_seen_by_all_and_started_again(house, client, watched, monkeypatch, caplog):
    monkeypatch.setattr(watching, "DEAF_S", 4.0)
    before = watched.revivals["server"]
    os.kill(house.server.pid, signal.SIGSTOP)
    assert "does not answer" in look(house.server.endpoint, patience_s=1.0).spoken
    until(lambda: watched.revivals["server"] == before + 1, 90)
    assert "it has not answered for" in caplog.text
    assert client.prove(ECHO).model_version == 1


def test_the_stubs_of_a_keeper_that_is_gone_are_ended(tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / STUB).symlink_to("/bin/sh")
    waiting = [str(tmp_path / STUB), "-c", "read word", "model.py"]
    orphan, ours = (
        subprocess.Popen([*waiting, f"jamflow_{pid}_ab"], stdin=subprocess.PIPE) for pid in (gone.pid, os.getpid())
    )
    with orphan, ours:
        end_orphans()
        assert orphan.wait(10) == -signal.SIGKILL
        assert ours.poll() is None
        ours.kill()
