"""Keep a server playing: notice a model whose process died, and a server that fell over, and start it again.

    Watchdog(server, names=repository.models()).watch(stopped)       # until stopped is set

Triton goes on calling a dead model ready, and loading it again does nothing; only a played note tells, and only unloading
and loading cures it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

from models.music.errors import JamflowError, ServingError, TooLate, Unavailable
from serving.client import JamflowClient
from serving.control import Control
from serving.server import TritonServer

log = logging.getLogger(__name__)

EVERY_S = 0.4
CANARY_S = 1.4
"""Longer than Triton needs (1 s) to say that a model's process has died."""
PATIENCE = 6
"""So many late canaries in a row mean that a model hangs and is not merely busy."""


class Watchdog:
    """Plays canaries on a server's models, and brings back what does not answer."""

    def __init__(self, server: TritonServer, names: Callable[[], list[str]]) -> None:
        self.revivals: Counter[str] = Counter()
        """How often each model (or "server") was brought back since the start."""
        self._server = server
        self._names = names
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
            for name in self._names():
                self._look_at(client, name)

    def _look_at(self, client: JamflowClient, name: str) -> None:
        try:
            client.prove(name)
            self._late[name] = 0
        except TooLate:
            self._late[name] += 1
            if self._late[name] >= PATIENCE:
                self._revive(name, f"{PATIENCE} canaries in a row came too late")
        except Unavailable as error:
            if self._server.running:
                self._revive(name, str(error))
        except ServingError as error:
            log.warning("%s refuses its canary: %s", name, error)

    def _revive(self, name: str, why: str) -> None:
        began = time.monotonic()
        control = Control(self._server.endpoint)
        try:
            if control.versions(name):
                control.unload(name)
            control.load(name)
        finally:
            control.close()
        self._count(name, why, began)

    def _restart(self) -> None:
        began = time.monotonic()
        why = self._server.last_words() or "no last word"
        self._server.restart()
        for name in self._names():
            self._server.load(name)
        self._count("server", why, began)

    def _count(self, what: str, why: str, began: float) -> None:
        self.revivals[what] += 1
        self._late[what] = 0
        took = time.monotonic() - began
        log.warning("%s brought back in %.1f s (%d times since the start): %s", what, took, self.revivals[what], why)
