"""One real Triton for every serving test, with an echo and a tiny groove model on it."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # the tests' own modules: pytest's importlib mode does not find them

from served_house import CONTRACTS, House, add_echo, tiny_groove, tiny_roles

from serving.client import JamflowClient
from serving.contract import ROLES_MODEL
from serving.control import Control
from serving.deploy import deploy
from serving.registry import Registry
from serving.repository import Repository
from serving.server import TritonServer
from serving.store import open_store


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database without anything in it, made once: that takes MLflow most of ten seconds."""
    database = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    open_store(f"sqlite:///{database}")
    return database


def registry_in(folder: Path, empty_store: Path) -> Registry:
    shutil.copyfile(empty_store, folder / "mlflow.db")
    return Registry(f"sqlite:///{folder}/mlflow.db", (folder / "artifacts").as_uri())


@pytest.fixture
def registry(tmp_path: Path, empty_store: Path) -> Registry:
    """A registry of the test's own."""
    return registry_in(tmp_path, empty_store)


@pytest.fixture(scope="session")
def house(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("serving")
    model = tiny_groove(folder / "groove", seed=1)
    registry = registry_in(folder, empty_store)
    add_echo(folder / "repository", 1, model)
    Repository(folder / "repository").add(ROLES_MODEL, 1, tiny_roles(folder / "roles", seed=1))
    Repository(folder / "repository").serve(ROLES_MODEL, [1])
    with TritonServer(folder / "repository", folder / "triton") as server:
        with contextlib.closing(Control(server.endpoint)) as control, ThreadPoolExecutor() as loading:
            list(loading.map(control.load, ["echo", "roles"]))
        version = registry.register("groove", model, {"timing_mae_ms": 20.0})
        deploy(registry, "groove", version, folder / "repository", server.endpoint)
        yield House(registry, folder / "repository", server)


@pytest.fixture
def client(house: House) -> Iterator[JamflowClient]:
    with JamflowClient(house.server.grpc_url, deadline_s=10.0, contracts=CONTRACTS) as client:
        yield client


@pytest.fixture
def control(house: House) -> Iterator[Control]:
    control = Control(house.server.endpoint)
    yield control
    control.close()
