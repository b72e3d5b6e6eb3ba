"""What every test may ask for."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests share their cores; torch threads would only fight
os.environ.setdefault("HF_HUB_OFFLINE", "1")
SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference tensors and recordings beside the checkout; a user has none, and the test skips."""
    if not SHARED.is_dir():
        pytest.skip("needs the reference material in ../shared, which is not part of the project")
    return SHARED


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty JAMFLOW_HOME for every test: nothing of the user's is read or written."""
    folder = tmp_path / "home"
    monkeypatch.setenv("JAMFLOW_HOME", str(folder))
    return folder


# One real Triton for every test that talks to a server; what it is made of is imported when it is first asked for.


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database without anything in it, made once: that takes MLflow most of ten seconds."""
    from serving.store import open_store

    database = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    open_store(f"sqlite:///{database}")
    return database


@pytest.fixture
def registry(tmp_path: Path, empty_store: Path):
    """A registry of the test's own."""
    from served_house import registry_in

    return registry_in(tmp_path, empty_store)


@pytest.fixture(scope="session")
def house(empty_store: Path, tmp_path_factory: pytest.TempPathFactory):
    """A running server, its repository and its registry."""
    from served_house import open_house

    yield from open_house(tmp_path_factory.mktemp("serving"), empty_store)


@pytest.fixture
def client(house):
    from serving.client import JamflowClient

    with JamflowClient(house.server.grpc_url, deadline_s=10.0) as client:
        yield client


@pytest.fixture
def control(house):
    from serving.control import Control

    with contextlib.closing(Control(house.server.endpoint)) as control:
        yield control
