"""Keep the champions served: what `jamflow serve` does from its first second to its last.

    Keeper(registry, repository, folder, told=home / "serving.json").keep(stopped, ready=print)

The registry decides what is served. Where it is empty, the starter models that come with Jamflow are its first champions.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.music.errors import JamflowError, Refused, ServingError, Unavailable
from models.music.files import is_whole, read_json
from serving.contract import ModelContract
from serving.deploy import deploy, restore
from serving.endpoint import Endpoint
from serving.families import FAMILIES
from serving.registry import Registry
from serving.repository import Repository
from serving.server import Ports, TritonServer, free_ports, is_free
from serving.watchdog import Watchdog

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Keeper:
    """A server, its champions and its watchdog."""

    registry: Registry
    repository: str | os.PathLike[str]
    folder: Path
    """Where Triton's log goes."""
    told: Path
    """The serving.json that tells everybody where the server is; it stays, and so do the ports it names."""
    grpc_port: int | None = None
    """A fixed port; otherwise the one it had last time, or a free one."""

    def keep(self, stopped: threading.Event, ready: Callable[[Endpoint, list[str]], Any]) -> None:
        """Serve until the event is set; `ready` hears the address and what is served."""
        other = Endpoint.running(self.told)
        if other is not None:
            raise Refused(
                f"a server runs at {other.grpc_url} (process {other.pid}). Stop it first: `jamflow serve --stop`."
            )
        server = TritonServer(self.repository, self.folder, self._ports())
        with server:
            served = self._load_champions(server)
            server.endpoint.write(self.told)
            ready(server.endpoint, served)
            Watchdog(server, self._ours).watch(stopped)

    def _ours(self) -> list[ModelContract]:
        return [FAMILIES[name].contract for name in Repository(self.repository).models() if name in FAMILIES]

    def _ports(self) -> Ports | None:
        """The wanted port, else last time's, so that clients find the server where it was."""
        if self.grpc_port is not None:
            if not is_free(self.grpc_port):
                raise Unavailable(
                    f"port {self.grpc_port} is taken. Choose another, or leave --port out for a free one."
                )
            return free_ports()._replace(grpc=self.grpc_port)
        try:
            last = Endpoint.read(self.told)
        except ServingError:
            return None
        return Ports(*(int(url.rsplit(":", 1)[1]) for url in (last.grpc_url, last.http_url, last.metrics_url)))

    def _load_champions(self, server: TritonServer) -> list[str]:
        served = []
        for name in restore(self.registry, self.repository):
            try:
                server.load(FAMILIES[name].contract)
                served.append(name)
            except JamflowError as error:  # the others can play
                log.error("%s is not served: %s", name, error)
        for name, family in FAMILIES.items():
            folder = family.starter_folder
            if (
                folder and not self.registry.versions(name) and is_whole(folder)
            ):  # never in the way of a challenger of the user's
                version = self.registry.register(name, folder, _figures(folder), tags={"source": "starter"})
                deploy(self.registry, name, version, self.repository, server.endpoint)
                served.append(name)
        return served


def _figures(folder: Path) -> dict[str, float]:
    """The figures a starter model was saved with."""
    facts = read_json(folder / "config.json").get("facts", {})
    return {name: value for name, value in facts.items() if isinstance(value, float)}
