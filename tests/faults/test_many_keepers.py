"""Of several who serve the same house, one does; the others say who, and touch nothing of its."""

import subprocess
import sys

import pytest

from pipelines.cli import main
from pipelines.settings import Profile
from serving.endpoint import Endpoint
from serving.keeper import claim_beside
from serving.locks import alone
from serving.registry import Registry


def test_a_second_server_is_refused_before_it_touches_the_log(home, capsys):
    home.mkdir()
    (home / "serve.log").write_text("what the first one said\n")
    with alone(claim_beside(home / "serving.json")):
        assert main(["serve", "--detach"]) == 1
        assert main(["serve"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert all("a server is being started (process " in line and "Stop it first" in line for line in said)
    assert (home / "serve.log").read_text() == "what the first one said\n"


@pytest.mark.slow
def test_of_three_first_servers_one_serves_and_each_starter_is_registered_once(home):
    command = [sys.executable, "-m", "pipelines.cli", "serve", "--detach"]
    racing = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    try:
        ended = [(process.communicate(timeout=110), process.returncode) for process in racing]
        assert sorted(code for _, code in ended) == [0, 1, 1], ended
        assert all("Stop it first" in said[1] for said, code in ended if code), ended
        registry = Registry.at(Profile.load().where)
        assert {name: registry.versions(name) for name in registry.names()} == {"groove": [1], "roles": [1]}
        assert Endpoint.running(home / "serving.json")
    finally:
        assert main(["serve", "--stop"]) == 0
