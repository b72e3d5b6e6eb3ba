"""A home may have any name that a folder has; what cannot be kept in is refused at once, by every command alike."""

import contextlib
import shutil

import pytest
from echo_model import ECHO
from served_house import add_toy

from pipelines.cli import main
from pipelines.settings import Profile
from serving.client import JamflowClient
from serving.control import Control
from serving.registry import Registry
from serving.server import TritonServer

STRANGE = 'Käthe\'s "new" songs & takes #2; $x `y` 鼓'


def test_a_home_of_any_name_serves_and_registers(tmp_path, empty_store, monkeypatch):
    monkeypatch.setenv("JAMFLOW_HOME", str(tmp_path / STRANGE))
    profile = Profile.load()
    model = tmp_path / "model"
    model.mkdir()
    add_toy(ECHO, profile.home / "repository", 1, model)
    with (
        TritonServer(profile.repository_path, profile.home / "triton") as server,
        contextlib.closing(Control(server.endpoint)) as control,
        JamflowClient(server.grpc_url, 10.0) as client,
    ):
        control.load("echo")
        assert client.prove(ECHO).model_version == 1
    shutil.copyfile(empty_store, profile.home / "mlflow.db")
    assert Registry.at(profile.where).names() == []
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([STRANGE, "model"]), "no stray database beside it"


@pytest.mark.parametrize("name", ["what?", "100%", "two\nlines"])
@pytest.mark.parametrize("command", ["doctor", "serve", "status"])
def test_a_home_that_no_database_can_live_in_is_refused_at_once(tmp_path, monkeypatch, capsys, name, command):
    monkeypatch.setenv("JAMFLOW_HOME", str(tmp_path / name))
    assert main([command]) == 1
    said = capsys.readouterr().err
    assert "MLflow cannot keep a database at a path with" in said
    assert len(said.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
