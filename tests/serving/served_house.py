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
from counting_model import COUNTING
from echo_model import ECHO
from remembering_model import REMEMBERING

from models.drums.roles.calibration import Calibration
from models.drums.roles.learned import network as roles
from models.drums.roles.trust import Trust
from models.groove.network import TINY, GrooveVAE
from models.learning.checkpoint import save_model
from serving.contract import ModelContract
from serving.contracts.groove import GROOVE
from serving.contracts.roles import ROLES
from serving.control import Control
from serving.deploy import deploy
from serving.registration import register
from serving.registry import Registry
from serving.repository import Repository
from serving.server import TritonServer
from serving.where import Where

TOYS = [ECHO, COUNTING, REMEMBERING]
SERVED = [GROOVE, ROLES, *TOYS]


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
    """Start a server with the toys, a tiny role model and a deployed tiny groove champion on it."""
    model = tiny_groove(folder / "model", seed=1)
    registry = registry_in(folder, empty_store)
    for toy in TOYS:
        add_toy(toy, folder / "repository", 1, model)
    Repository(folder / "repository").add(ROLES, 1, tiny_roles(folder / "roles", seed=1))
    Repository(folder / "repository").serve(ROLES, [1])
    with TritonServer(folder / "repository", folder / "triton") as server:
        with contextlib.closing(Control(server.endpoint)) as control, ThreadPoolExecutor() as loading:
            list(loading.map(control.load, ["roles", *(toy.name for toy in TOYS)]))
        version = register(registry, "groove", model, {"timing_mae_ms": 20.0})
        deploy(registry, "groove", version, folder / "repository", server.endpoint)
        yield House(registry, folder / "repository", server)


def house_of_toys(folder: Path) -> Iterator[TritonServer]:
    """Start a server with the toys alone."""
    model = tiny_groove(folder / "model", seed=1)
    for toy in TOYS:
        add_toy(toy, folder / "repository", 1, model)
    with TritonServer(folder / "repository", folder / "triton") as server:
        with contextlib.closing(Control(server.endpoint)) as control, ThreadPoolExecutor() as loading:
            list(loading.map(control.load, [toy.name for toy in TOYS]))
        yield server


def tiny_groove(folder: Path, seed: int) -> Path:
    """A random groove model, small enough to be made at once."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return save_model(folder, GrooveVAE(TINY), TINY, "groove")


def tiny_roles(folder: Path, seed: int) -> Path:
    """A random role model with nothing in its memory of sounds, heeded as much as the rules are."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = dataclasses.replace(roles.TINY, memory_sounds=4)
        network = roles.RoleNetwork(config)
    trust = Trust(formula=(0.5,) * 5, learned=(0.5,) * 5, calibration=Calibration(slope=20.0, offset=-0.6))
    return save_model(folder, network, config, "roles", trust=dataclasses.asdict(trust))


def add_toy(toy: ModelContract, repository: Path, version: int, model: Path) -> None:
    """Put a version of a toy into a repository."""
    scores = Repository(repository)
    scores.add(toy, version, model, backend=Path(__file__).with_name(f"{toy.name}_model.py"))
    scores.serve(toy, [version])


def stub_of(server: TritonServer, name: str) -> psutil.Process:
    """The process in which a model runs."""
    stubs = psutil.Process(server.pid).children(recursive=True)
    return next(
        s for s in stubs if s.status() != psutil.STATUS_ZOMBIE and any(f"/{name}/" in word for word in s.cmdline())
    )
