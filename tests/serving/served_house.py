"""What the serving tests are made of: a house with a server, tiny random models, and an eye on processes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch
from echo_model import ECHO

from models.drums.roles.learned import network as roles
from models.groove.network import TINY, GrooveVAE
from models.learning.checkpoint import save_model
from serving.contract import MODELS
from serving.registry import Registry
from serving.repository import Repository
from serving.server import TritonServer

CONTRACTS = {**MODELS, "echo": ECHO}
ECHO_BACKEND = Path(__file__).with_name("echo_model.py")


@dataclass(frozen=True)
class House:
    """A served house: a store with one groove champion, a repository, a server."""

    registry: Registry
    repository: Path
    server: TritonServer


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
