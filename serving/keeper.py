"""Keep the champions served: what `jamflow serve` does from its first second to its last.

    Keeper(where, folder).keep(stopped, ready=print)

It starts Triton, lets serving/casting.py bring the champions on stage, and watches over them: over processes with the
watchdog, several times a second; over what they play with a look every few seconds, which calls for another casting when
it is not what was cast. It stays for days, so it imports nothing heavy.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from models.music.errors import JamflowError, Refused, ServingError, Unavailable
from models.music.locks import Held, alone
from serving.contract import ModelContract
from serving.endpoint import Endpoint
from serving.families import FAMILIES
from serving.look import Cast, amiss, look
from serving.repository import Repository
from serving.server import Ports, TritonServer, free_ports, is_free, tied
from serving.watchdog import Watchdog
from serving.where import Where

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[1]
STARTING = "starting.json"
"""The server's address while its champions come on stage, for those who bring them."""
CLAIM_S = 0.5
LOOK_S, GRACE_S, AGAIN_S = 5.0, 20.0, 300.0
"""How often to look; how long something may be otherwise (a deployment takes its time); and at most, once casting was in vain."""


@dataclass(frozen=True)
class Keeper:
    """A server, its champions and its watchdog."""

    where: Where
    """Its server is the serving.json that tells everybody where Triton is; it stays, and so do the ports it names."""
    folder: Path
    """Where Triton's log goes."""
    grpc_port: int | None = None
    """A fixed port; otherwise the one it had last time, or a free one."""

    def keep(
        self,
        stopped: threading.Event,
        ready: Callable[[Endpoint, Cast], Any],
        claimed: Callable[[], Any] = lambda: None,
    ) -> None:
        """Serve until the event is set; `claimed` hears that nobody else does, `ready` the address and who plays."""
        with _claim(self.where.server):
            claimed()
            with TritonServer(self.where.repository, self.folder, self._ports()) as server:
                starting = self.folder / STARTING
                server.endpoint.write(starting)
                cast = self._cast(starting, stopped)
                starting.unlink(missing_ok=True)
                server.endpoint.write(self.where.server)
                ready(server.endpoint, cast)
                tuning = threading.Thread(target=self._stay_in_tune, args=(server, cast, stopped))
                tuning.start()
                try:
                    Watchdog(server, self._ours).watch(stopped)
                finally:
                    stopped.set()
                    tuning.join()

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

    def _stay_in_tune(self, server: TritonServer, cast: Cast, stopped: threading.Event) -> None:
        """Cast again when for a while the server has played something else than what was cast."""
        amiss_since, patience_s = None, GRACE_S
        while not stopped.wait(LOOK_S):
            now, wrong = time.monotonic(), self._amiss(server, cast)
            if not wrong:
                amiss_since, patience_s = None, GRACE_S
                continue
            amiss_since = amiss_since or now
            if now - amiss_since < patience_s:
                continue
            log.warning("not as it was cast: %s", wrong)
            try:
                cast = self._cast(Path(self.where.server), stopped)
            except JamflowError as error:
                log.error("not cast again: %s", error)
            amiss_since, patience_s = None, min(2 * patience_s, AGAIN_S)

    def _amiss(self, server: TritonServer, cast: Cast) -> str:
        """Look whether all is as it was cast; a server that does not answer is the watchdog's."""
        if Endpoint.running(self.where.server) != server.endpoint:
            server.endpoint.write(self.where.server)
        seen = look(server.endpoint)
        return amiss(seen, cast, Repository(self.where.repository)) if seen.answers else ""

    def _cast(self, told_in: Path, stopped: threading.Event) -> Cast:
        """Let a process of its own bring the champions on stage; a stop meanwhile ends it."""
        told = json.dumps(asdict(replace(self.where, server=str(told_in))))
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        command = tied([sys.executable, "-P", "-m", "serving.casting", told])
        casting = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        with casting:
            while casting.poll() is None and not stopped.wait(0.05):
                pass
            casting.terminate()
            assert casting.stdout is not None, "it was opened as a pipe"
            said = casting.stdout.read()
        if stopped.is_set():
            return Cast()
        if casting.returncode:
            raise Unavailable(said.strip() or "the champions did not come on stage. The lines above say why.")
        return Cast(**json.loads(said))


@contextlib.contextmanager
def _claim(told: str) -> Iterator[None]:
    """Be the only one who serves here, from before the first process starts."""
    try:
        with alone(claim_beside(told), CLAIM_S):
            yield
    except Held as error:
        other = Endpoint.running(told)
        at = (
            f"a server runs at {other.grpc_url} (process {other.pid})"
            if other
            else f"a server is being started (process {error.holder})"
        )
        raise Refused(f"{at}. Stop it first: `jamflow serve --stop`.") from error


def claim_beside(told: str | os.PathLike[str]) -> Path:
    """The lock that whoever serves holds from the first second on."""
    return Path(told).with_name(f".{Path(told).name}.lock")
