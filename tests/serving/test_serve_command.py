"""`jamflow serve`, `deploy`, `rollback` and `doctor`, as a user types them."""

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from served_house import tiny_groove

from models.music.errors import Unavailable
from pipelines import checkup
from pipelines.cli import main
from pipelines.settings import Profile
from serving.casting import first_champion
from serving.client import JamflowClient
from serving.contracts.groove import GROOVE
from serving.endpoint import Endpoint
from serving.families import family
from serving.keeper import Keeper
from serving.registration import STARTER, register
from serving.registry import Registry


@pytest.mark.slow
def test_a_server_in_the_background_takes_new_versions_and_stops(home, tmp_path, capsys):
    profile = Profile.load()
    registry = Registry(profile.mlflow_uri or "", profile.artifacts_uri)
    versions = [register(registry, "groove", tiny_groove(tmp_path / f"model{seed}", seed), {}) for seed in (1, 2)]
    assert main(["serve", "--detach", "--port", str(port := _free_port())]) == 0
    told = Endpoint.read(home / "serving.json")
    try:
        assert told.grpc_url.endswith(f":{port}")
        assert main(["deploy", "groove", str(versions[0])]) == 0
        assert main(["deploy", "groove"]) == 0
        with JamflowClient(told.grpc_url, 10.0) as client:
            assert client.prove(GROOVE).model_version == versions[1]
            assert main(["rollback", "groove"]) == 0
            assert client.prove(GROOVE).model_version == versions[0]
        assert main(["serve"]) == 1
    finally:
        assert main(["serve", "--stop"]) == 0
    assert "Stop it first: `jamflow serve --stop`" in capsys.readouterr().err
    assert not told.is_running()
    assert Endpoint.running(home / "serving.json") is None


@pytest.mark.slow
def test_an_empty_house_serves_its_starter_model(home, tmp_path):
    keeper = subprocess.Popen([sys.executable, "-m", "pipelines.cli", "serve"], stdout=subprocess.PIPE, text=True)
    assert keeper.stdout is not None
    with keeper:
        said = [next(line for line in keeper.stdout if line.startswith("serving")), keeper.stdout.readline()]
        with JamflowClient(Endpoint.read(home / "serving.json").grpc_url, 10.0) as client:
            assert client.prove(GROOVE).model_version == 1
        keeper.send_signal(signal.SIGINT)
    assert said[0].split() == ["serving", "groove,", "roles"]
    assert keeper.returncode == 0


def test_deploying_what_is_not_there_says_so(home, empty_store, capsys):
    home.mkdir()
    (home / "mlflow.db").write_bytes(empty_store.read_bytes())
    assert main(["deploy", "groove"]) == 1
    assert main(["deploy", "grove"]) == 1
    assert main(["rollback", "groove"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "jamflow: groove: there is no challenger. Train one, or name a version: `jamflow deploy groove 1`.",
        "jamflow: no served model is called 'grove'; did you mean 'groove'.",
        "jamflow: groove: there is no previous champion to go back to. See `mlflow ui`, and deploy a version by number.",
    ]


def test_a_port_that_is_taken_is_not_fought_over(home, empty_store):
    home.mkdir()
    (home / "mlflow.db").write_bytes(empty_store.read_bytes())
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        with pytest.raises(Unavailable, match=f"port {port} is taken"):
            Keeper(Profile.load().where, home, port).keep(threading.Event(), print)


def test_a_starter_never_takes_the_place_of_a_challenger(registry, tmp_path):
    old, new = (tiny_groove(tmp_path / f"starter{seed}", seed) for seed in (4, 5))
    kept = dataclasses.replace(family("groove"), starter=str(new))
    register(registry, "groove", old, {}, tags={"source": STARTER})
    assert first_champion(registry, kept) == new, "the starter of an older release is nobody's work"
    register(registry, "groove", tiny_groove(tmp_path / "model", 6), {})
    assert first_champion(registry, kept) is None


def test_stopping_when_nothing_runs_is_no_error(capsys):
    assert main(["serve", "--stop"]) == 0
    assert capsys.readouterr().out == "No server runs.\n"


def test_a_server_whose_keeper_died_is_not_running(tmp_path):
    ended = subprocess.Popen(["true"])
    endpoint = Endpoint("a:1", "a:2", "a:3", "id", "key", ended.pid, "/r")
    endpoint.write(tmp_path / "serving.json")
    while psutil.Process(ended.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    assert Endpoint.running(tmp_path / "serving.json") is None
    ended.wait()
    assert not endpoint.is_running()


def test_a_serving_file_in_pieces_is_unavailable(tmp_path):
    (tmp_path / "serving.json").write_text(json.dumps({"grpc_url": "a:1"}))
    with pytest.raises(Unavailable, match="Start the server again"):
        Endpoint.read(tmp_path / "serving.json")


def test_the_doctor_finds_this_machine_fit(capsys):
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    for what in ("Python", "Packages", "Triton", "libpython", "MLflow", "Disk", "GPU", "MIDI"):
        assert any(line[2:].startswith(what) for line in said.splitlines())


def test_the_doctor_names_what_is_necessary_and_missing(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("JAMFLOW_TRITON", str(tmp_path / "nothing"))
    assert main(["doctor"]) == 1
    heard = capsys.readouterr()
    assert "✘ Triton" in heard.out
    assert "→ Run `make setup`, or: " in heard.out
    assert "Necessary and not there: Triton" in heard.err


def test_the_doctor_finds_a_package_that_shadows_ours(monkeypatch, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    assert checkup.shadows().found == f"ours come first; the same name is also at {tmp_path / 'models'}"
    monkeypatch.setattr(checkup, "_origin", lambda name: tmp_path / name)
    assert checkup.shadows().state == "missing"


def test_the_doctor_finds_a_broken_store(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"not a database" * 100)
    finding = checkup.store(Profile(home=tmp_path))
    assert finding.state == "missing"
    assert "file is not a database" in finding.found


def _free_port() -> int:
    from serving.server import free_ports

    return free_ports().grpc


def test_the_doctor_changes_nothing(home: Path):
    main(["doctor"])
    assert not os.path.exists(home)


def test_the_keeper_stays_small():
    script = (
        "import sys, psutil, serving.keeper, tritonclient.grpc\n"
        "heavy = {'torch', 'mlflow', 'sqlalchemy', 'kfp', 'pandas'} & set(sys.modules)\n"
        "print(heavy or '', psutil.Process().memory_info().rss // 2**20)"
    )
    root = Path(__file__).resolve().parents[2]
    said = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True).stdout
    assert int(said) < 120, said
