"""Keep a server playing: notice a model whose process died, and a server that fell over, and start it again.

    Watchdog(server, lambda: [GROOVE]).watch(stopped)       # until stopped is set

Triton goes on calling a dead model ready, and loading it again does nothing; only a played note tells, and only unloading
and loading cures it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from models.music.errors import JamflowError, ServingError, TooLate, Unavailable
from serving.client import JamflowClient
from serving.contract import ModelContract
from serving.control import Control
from serving.server import TritonServer

log = logging.getLogger(__name__)

EVERY_S = 0.4
CANARY_S = 1.0
"""Triton takes a second to refuse each request to a dead model, one after the other: nobody waits for his turn there."""
PATIENCE = 8
"""So many late canaries in a row mean that a model hangs and is not merely busy."""


class Watchdog:
    """Plays canaries on a server's models, and brings back what does not answer."""

    def __init__(self, server: TritonServer, served: Callable[[], list[ModelContract]]) -> None:
        self.revivals: Counter[str] = Counter()
        """How often each model (or "server") was brought back since the start."""
        self._server = server
        self._served = served
        self._late: Counter[str] = Counter()

    def watch(self, stopped: threading.Event) -> None:
        """Look after the server until the event is set."""
        while not stopped.wait(EVERY_S):
            try:
                self.look()
            except JamflowError as error:
                log.error("watchdog: %s", error)
                stopped.wait(1.0)

    def look(self) -> None:
        """Go round once."""
        if not self._server.running:
            self._restart()
            return
        with JamflowClient(self._server.grpc_url, CANARY_S) as client:
            for contract in self._served():
                self._look_at(client, contract)

    def _look_at(self, client: JamflowClient, contract: ModelContract) -> None:
        name = contract.name
        try:
            client.prove(contract)
            self._late[name] = 0
        except TooLate:
            self._late[name] += 1
            if not self._server.has_process(name):
                self._revive(name, "its process has died")
            elif self._late[name] >= PATIENCE:
                self._revive(name, f"{PATIENCE} canaries in a row came too late")
        except Unavailable as error:
            if self._server.running:
                self._revive(name, str(error))
        except ServingError as error:
            log.warning("%s refuses its canary: %s", name, error)

    def _revive(self, name: str, why: str) -> None:
        """Unload and load a model that says it is ready and is not; one that is only being loaded is left alone."""
        began = time.monotonic()
        with contextlib.closing(Control(self._server.endpoint)) as control:
            if "READY" not in control.versions(name).values():
                return
            log.warning("%s does not answer (%s)", name, why)
            control.unload(name)
            control.load(name)
        self._count(name, began)

    def _restart(self) -> None:
        began = time.monotonic()
        log.warning("the server has ended (%s)", self._server.last_words() or "no last word")
        self._server.restart()
        with ThreadPoolExecutor() as loading:
            list(loading.map(self._load, [contract.name for contract in self._served()]))
        self._count("server", began)

    def _load(self, name: str) -> None:
        with contextlib.closing(Control(self._server.endpoint)) as control:
            try:
                control.load(name)
            except ServingError as error:  # the others shall play on
                log.error("%s: %s", name, error)

    def _count(self, what: str, began: float) -> None:
        self.revivals[what] += 1
        self._late[what] = 0
        log.warning(
            "%s brought back in %.1f s (%d since the start)", what, time.monotonic() - began, self.revivals[what]
        )
