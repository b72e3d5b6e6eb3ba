"""The server itself: whose it is, who may do what, and what is left when it is gone."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import tritonclient.grpc as grpc
from echo_model import ECHO
from served_house import add_toy, stub_of
from tritonclient.utils import InferenceServerException

from models.music.errors import BadInput, Refused, Unavailable
from serving import triton_files
from serving.client import JamflowClient
from serving.contracts.groove import GROOVE
from serving.control import Control
from serving.endpoint import Endpoint
from serving.server import SHARED_MEMORY, TritonServer, sweep_shared_memory

KEY = "triton-grpc-protocol-admin-key"


def ended(process: psutil.Process, seconds: float = 10.0) -> bool:
    """Whether a process is gone, or only waits for its parent to notice."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


def test_numbers_come_back_as_they_went(client):
    numbers = np.arange(4, dtype=np.int32).reshape(1, 4)
    assert client.ask(ECHO, {"numbers": numbers}).arrays["numbers"].tolist() == [[0, 1, 2, 3]]


def test_no_notes_come_back_as_no_notes(client):
    assert client.ask(ECHO, {"numbers": np.zeros((0, 4), np.int32)}).arrays["numbers"].shape == (0, 4)


@pytest.mark.parametrize("headers", [None, {KEY: "wrong"}, {"admin-key": "wrong"}])
def test_without_the_key_nobody_loads_unloads_or_uploads(house, client, headers):
    stranger = grpc.InferenceServerClient(house.server.grpc_url)
    attempts = [
        lambda: stranger.load_model("echo", headers=headers),
        lambda: stranger.unload_model("echo", headers=headers),
        lambda: stranger.load_model("evil", headers=headers, config="{}", files={"file:1/model.py": b"import os"}),
        lambda: stranger.load_model("../evil", headers=headers),
        lambda: stranger.register_system_shared_memory("region", "/jamflow", 64, headers=headers),
        lambda: stranger.update_log_settings({"log_verbose_level": 1}, headers=headers),
        lambda: stranger.update_trace_settings(settings={"trace_rate": "1"}, headers=headers),
    ]
    for attempt in attempts:
        with pytest.raises(InferenceServerException, match="restricted"):
            attempt()
    stranger.close()
    assert client.prove(ECHO)


@pytest.mark.parametrize("path", ["/v2/repository/index", "/v2/repository/models/echo/unload", "/v2/logging"])
def test_the_http_door_is_closed_as_well(house, path):
    request = urllib.request.Request(f"http://{house.server.endpoint.http_url}{path}", data=b"{}", method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=5)
    refused.value.close()
    assert refused.value.code == 403


def test_a_name_with_dots_is_refused_before_it_is_sent(control):
    with pytest.raises(BadInput, match="small letters"):
        control.load("../evil")


def test_a_stranger_on_our_port_is_recognised(house):
    control = Control(replace(house.server.endpoint, server_id="jamflow-other"))
    with pytest.raises(Unavailable, match="is another server"):
        control.load("echo")
    control.close()


def test_the_key_of_another_server_opens_nothing(house):
    control = Control(replace(house.server.endpoint, admin_key="0" * 32))
    with pytest.raises(Refused, match="needs the server's own admin key"):
        control.unload("echo")
    control.close()


def test_only_this_machine_is_listened_to(house):
    listening = [
        c.laddr.ip for c in psutil.Process(house.server.pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 3
    assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}


def test_a_model_leaves_no_bytecode_in_the_repository(house):
    assert not list(house.repository.rglob("*.pyc"))


def test_the_endpoint_is_kept_for_this_user_alone(house, tmp_path):
    house.server.endpoint.write(tmp_path / "serving.json")
    assert Endpoint.read(tmp_path / "serving.json") == house.server.endpoint
    assert (tmp_path / "serving.json").stat().st_mode & 0o077 == 0
    assert house.server.admin_key not in repr(house.server.endpoint)


def test_a_server_killed_outright_leaves_no_process_and_no_memory(tmp_path):
    (tmp_path / "model").mkdir()
    add_toy(ECHO, tmp_path / "repository", 1, tmp_path / "model")
    server = TritonServer(tmp_path / "repository", tmp_path / "triton").start()
    prefix = server._shared_prefix
    control = Control(server.endpoint)
    control.load("echo")
    control.close()
    stub = stub_of(server, "echo")
    assert list(SHARED_MEMORY.glob(f"{prefix}*"))
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    assert ended(stub)
    assert not list(SHARED_MEMORY.glob(f"{prefix}*"))


def test_a_server_ends_with_its_keeper(tmp_path):
    keeper = subprocess.Popen(
        [sys.executable, "-c", "import sys, time; from serving.server import TritonServer\n"
         "server = TritonServer(sys.argv[1], sys.argv[2]).start(); print(server.pid, flush=True); time.sleep(60)",
         str(tmp_path / "repository"), str(tmp_path / "triton")],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert keeper.stdout is not None
    with keeper:
        triton = psutil.Process(int(keeper.stdout.readline()))
        keeper.kill()
    assert ended(triton)


def test_memory_of_a_keeper_that_is_gone_is_swept_up():
    ended = subprocess.Popen(["true"])
    ended.wait()
    left, ours = (SHARED_MEMORY / f"jamflow_{pid}_test_region" for pid in (ended.pid, os.getpid()))
    left.touch()
    ours.touch()
    try:
        sweep_shared_memory()
        assert not left.exists()
        assert ours.exists()
    finally:
        ours.unlink()


def test_missing_files_of_triton_are_named_with_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("JAMFLOW_TRITON", str(tmp_path / "nothing"))
    with pytest.raises(Unavailable, match=r"pip install --no-deps --target .*nothing nvidia-pytriton==0.7.0"):
        TritonServer(tmp_path / "repository").start()


def test_a_missing_libpython_is_named_before_the_server_hangs(monkeypatch):
    stub = triton_files.distribution() / "python_backend_stubs" / triton_files.PYTHON / triton_files.STUB

    def ldd(*_args, **_more):
        return subprocess.CompletedProcess([], 0, f"\tlibpython{triton_files.PYTHON}.so.1.0 => not found\n", "")

    monkeypatch.setattr(subprocess, "run", ldd)
    with pytest.raises(Unavailable, match=rf"needs libpython.*apt-get install libpython{triton_files.PYTHON}\)"):
        triton_files.check_libraries(stub, {"LD_LIBRARY_PATH": "/nowhere"})


def test_nobody_at_the_address_is_said_at_once():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{held.getsockname()[1]}"
        began = time.monotonic()
        with JamflowClient(address) as client, pytest.raises(Unavailable, match=r"nobody answers\. Start the server"):
            client.prove(GROOVE)
    assert time.monotonic() - began < 2.0


def test_no_server_started_yet_names_the_command(tmp_path: Path):
    with pytest.raises(Unavailable, match="Start one with `jamflow serve`"):
        Endpoint.read(tmp_path / "serving.json")
