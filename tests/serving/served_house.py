"""What the serving tests are made of: a house with a server, tiny random models, and an eye on processes."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch
from echo_model import ECHO

from models.drums.roles.learned import network as roles
from models.groove.network import TINY, GrooveVAE
from models.learning.checkpoint import save_model
from serving.contracts.groove import GROOVE
from serving.contracts.roles import ROLES
from serving.control import Control
from serving.deploy import deploy
from serving.registration import register
from serving.registry import Registry
from serving.repository import Repository
from serving.server import TritonServer
from serving.where import Where

SERVED = [GROOVE, ROLES, ECHO]
ECHO_BACKEND = Path(__file__).with_name("echo_model.py")


@dataclass(frozen=True)
class House:
    """A served house: a store with one groove champion, a repository, a server."""

    registry: Registry
    repository: Path
    server: TritonServer

    @property
    def where(self) -> Where:
        """The house as a stage is told of it."""
        told = self.repository.parent / "serving.json"
        self.server.endpoint.write(told)
        return Where(self.registry.uri, self.registry.artifacts_uri, str(self.repository), str(told))


def registry_in(folder: Path, empty_store: Path) -> Registry:
    """A registry on a copy of an empty database, which MLflow would take seconds to make."""
    shutil.copyfile(empty_store, folder / "mlflow.db")
    return Registry(f"sqlite:///{folder}/mlflow.db", (folder / "artifacts").as_uri())


def open_house(folder: Path, empty_store: Path) -> Iterator[House]:
    """Start a server with an echo, a tiny role model and a deployed tiny groove champion on it."""
    model = tiny_groove(folder / "groove", seed=1)
    registry = registry_in(folder, empty_store)
    add_echo(folder / "repository", 1, model)
    Repository(folder / "repository").add(ROLES, 1, tiny_roles(folder / "roles", seed=1))
    Repository(folder / "repository").serve(ROLES, [1])
    with TritonServer(folder / "repository", folder / "triton") as server:
        with contextlib.closing(Control(server.endpoint)) as control, ThreadPoolExecutor() as loading:
            list(loading.map(control.load, ["echo", "roles"]))
        version = register(registry, "groove", model, {"timing_mae_ms": 20.0})
        deploy(registry, "groove", version, folder / "repository", server.endpoint)
        yield House(registry, folder / "repository", server)


def tiny_groove(folder: Path, seed: int) -> Path:
    """A random groove model, small enough to be made at once."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return save_model(folder, GrooveVAE(TINY), TINY, "groove")


def tiny_roles(folder: Path, seed: int) -> Path:
    """A random role model with nothing in its memory of sounds."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = dataclasses.replace(roles.TINY, memory_sounds=4)
        network = roles.RoleNetwork(config)
    return save_model(folder, network, config, "roles", calibration={"slope": 20.0, "offset": -0.6})


def add_echo(repository: Path, version: int, model: Path) -> None:
    """Put an echo model into a repository."""
    scores = Repository(repository)
    scores.add(ECHO, version, model, backend=ECHO_BACKEND)
    scores.serve(ECHO, [version])


def stub_of(server: TritonServer, name: str) -> psutil.Process:
    """The process in which a model runs."""
    stubs = psutil.Process(server.pid).children(recursive=True)
    return next(
        s for s in stubs if s.status() != psutil.STATUS_ZOMBIE and any(f"/{name}/" in word for word in s.cmdline())
    )
