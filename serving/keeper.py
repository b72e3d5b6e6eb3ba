"""Keep the champions served: what `jamflow serve` does from its first second to its last.

    Keeper(where, folder).keep(stopped, ready=print)

It starts Triton, lets serving/casting.py bring the champions on stage, and watches over them. It stays for days, so it
imports nothing heavy.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from models.music.errors import Refused, ServingError, Unavailable
from serving.contract import ModelContract
from serving.endpoint import Endpoint
from serving.families import FAMILIES
from serving.repository import Repository
from serving.server import Ports, TritonServer, free_ports, is_free
from serving.watchdog import Watchdog
from serving.where import Where

ROOT = Path(__file__).resolve().parents[1]
STARTING = "starting.json"
"""The server's address while its champions come on stage, for those who bring them."""


@dataclass(frozen=True)
class Keeper:
    """A server, its champions and its watchdog."""

    where: Where
    """Its server is the serving.json that tells everybody where Triton is; it stays, and so do the ports it names."""
    folder: Path
    """Where Triton's log goes."""
    grpc_port: int | None = None
    """A fixed port; otherwise the one it had last time, or a free one."""

    def keep(self, stopped: threading.Event, ready: Callable[[Endpoint, list[str]], Any]) -> None:
        """Serve until the event is set; `ready` hears the address and what is served."""
        other = Endpoint.running(self.where.server)
        if other is not None:
            raise Refused(
                f"a server runs at {other.grpc_url} (process {other.pid}). Stop it first: `jamflow serve --stop`."
            )
        server = TritonServer(self.where.repository, self.folder, self._ports())
        with server:
            served = self._cast(server, stopped)
            server.endpoint.write(self.where.server)
            ready(server.endpoint, served)
            Watchdog(server, self._ours).watch(stopped)

    def _ours(self) -> list[ModelContract]:
        return [FAMILIES[name].contract for name in Repository(self.where.repository).models() if name in FAMILIES]

    def _ports(self) -> Ports | None:
        """The wanted port, else last time's, so that clients find the server where it was."""
        if self.grpc_port is not None:
            if not is_free(self.grpc_port):
                raise Unavailable(
                    f"port {self.grpc_port} is taken. Choose another, or leave --port out for a free one."
                )
            return free_ports()._replace(grpc=self.grpc_port)
        try:
            last = Endpoint.read(self.where.server)
        except ServingError:
            return None
        return Ports(*(int(url.rsplit(":", 1)[1]) for url in (last.grpc_url, last.http_url, last.metrics_url)))

    def _cast(self, server: TritonServer, stopped: threading.Event) -> list[str]:
        """Let a process of its own bring the champions on stage; a stop meanwhile ends it."""
        starting = self.folder / STARTING
        server.endpoint.write(starting)
        told = json.dumps(asdict(replace(self.where, server=str(starting))))
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        casting = subprocess.Popen(
            [sys.executable, "-P", "-m", "serving.casting", told], stdout=subprocess.PIPE, text=True, env=environment
        )
        with casting:
            while casting.poll() is None and not stopped.wait(0.05):
                pass
            casting.terminate()
            assert casting.stdout is not None, "it was opened as a pipe"
            said = casting.stdout.read()
        starting.unlink(missing_ok=True)
        if casting.returncode and not stopped.is_set():
            raise Unavailable(said.strip() or "the champions did not come on stage. The lines above say why.")
        return json.loads(said) if said else []
