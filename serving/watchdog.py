"""Keep a server playing: notice a model whose process died, and a server that fell over, and start it again.

    Watchdog(server, lambda: [GROOVE]).watch(stopped)       # until stopped is set

Triton goes on calling a dead model ready, and loading it again does nothing; only unloading and loading cures it. A process
that has gone is seen at once. One that hangs shows neither an answer nor a part for as long as its contract's patience lasts;
a canary is asked only of a model that shows neither by itself, since a busy one has better things to do. A server that
does not answer for DEAF_S is ended and started again.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from models.music.errors import Busy, JamflowError, NotLoaded, ServingError, TooLate, Unavailable
from serving.client import JamflowClient
from serving.contract import ModelContract
from serving.control import Control
from serving.look import look
from serving.server import TritonServer

log = logging.getLogger(__name__)

EVERY_S, DEAF_S = 0.4, 15.0
PLAYED = re.compile(r'^(nv_inference_request_success|jamflow_parts_total)\{.*?model="(\w+)".*?\} (\S+)$', re.M)


class Watchdog:
    """Looks after a server's models, and brings back what does not answer."""

    def __init__(self, server: TritonServer, served: Callable[[], list[ModelContract]]) -> None:
        self.revivals: Counter[str] = Counter()
        """How often each model (or "server") was brought back since the start."""
        self._server = server
        self._served = served
        self._played: Counter[tuple[str, str]] = Counter()
        self._alive_at: dict[str, float] = {}
        self._heard_at = time.monotonic()
        self._canaries: dict[str, Future[None]] = {}
        self._asking = ThreadPoolExecutor(32, "canary")

    def watch(self, stopped: threading.Event) -> None:
        """Look after the server until the event is set."""
        while not stopped.wait(EVERY_S):
            try:
                self.look()
                self._heard_at = time.monotonic()
            except JamflowError as error:
                log.error("watchdog: %s", error)
                self._end_if_deaf()
                stopped.wait(1.0)
        self._asking.shutdown(wait=False, cancel_futures=True)

    def look(self) -> None:
        """Go round once."""
        if not self._server.running:
            self._restart(f"it has ended: {self._server.last_words() or 'no last word'}")
            return
        played, processes = answers(self._server.endpoint.metrics_url), self._server.processes()
        for contract in self._served():
            counted = (
                "nv_inference_request_success" if contract.mode == "batched" else "jamflow_parts_total",
                contract.name,
            )
            if played[counted] != self._played[counted]:
                self._alive_at[contract.name] = time.monotonic()
            self._look_at(contract, processes[contract.name])
        self._played = played

    def _look_at(self, contract: ModelContract, playing: Counter[int]) -> None:
        name, patience = contract.name, contract.patience
        silent_s = time.monotonic() - self._alive_at.setdefault(name, time.monotonic())
        canary = self._canaries.get(name)
        if self._lacks_process(contract, playing):
            self._revive(name, "its process has died")
        elif canary is not None and canary.done():
            del self._canaries[name]
            self._judge(contract, canary.exception(), silent_s)
        elif canary is None and silent_s >= patience.canary_s:
            self._canaries[name] = self._asking.submit(self._ask, contract)

    def _lacks_process(self, contract: ModelContract, playing: Counter[int]) -> bool:
        """Whether a version that is ready, and stays so, is played by too few; one that comes or goes may be."""
        if playing and min(playing.values()) >= contract.processes:
            return False
        with contextlib.closing(Control(self._server.endpoint)) as control:
            before = control.ready(contract.name)
            playing = self._server.processes()[contract.name]
            return any(playing[version] < contract.processes for version in before & control.ready(contract.name))

    def _ask(self, contract: ModelContract) -> None:
        with JamflowClient(self._server.grpc_url) as client:
            client.prove(contract)

    def _judge(self, contract: ModelContract, said: BaseException | None, silent_s: float) -> None:
        """Revive a model whose canary fell silent, unless it gave another sign of life meanwhile."""
        name, patience = contract.name, contract.patience
        longest_s = patience.answer_s if contract.mode == "batched" else max(patience.first_s, patience.between_s)
        match said:
            case TooLate() | Busy():
                if silent_s >= longest_s:
                    self._revive(name, f"nothing was heard of it for {silent_s:.0f} s")
            case NotLoaded():  # it may have come on stage since it was asked
                self._alive_at[name] = time.monotonic()
            case Unavailable():
                if self._server.running:
                    self._revive(name, str(said))
            case ServingError():
                log.warning("%s refuses its canary: %s", name, said)
                self._alive_at[name] = time.monotonic()
            case None:
                self._alive_at[name] = time.monotonic()
            case _:
                raise said

    def _revive(self, name: str, why: str) -> None:
        """Unload and load a model that says it is ready and is not; one that is only being loaded is left alone."""
        began = time.monotonic()
        with contextlib.closing(Control(self._server.endpoint)) as control:
            if not control.ready(name):
                return
            log.warning("%s does not answer (%s)", name, why)
            control.unload(name)
            control.load(name)
        self._count(name, began)

    def _end_if_deaf(self) -> None:
        """Start a server again that runs and has not answered anything for too long."""
        if not self._server.running or look(self._server.endpoint).answers:
            self._heard_at = time.monotonic()
        elif (silent_s := time.monotonic() - self._heard_at) >= DEAF_S:
            self._restart(f"it has not answered for {silent_s:.0f} s", gently=False)
            self._heard_at = time.monotonic()

    def _restart(self, why: str, *, gently: bool = True) -> None:
        began = time.monotonic()
        log.warning("the server is started again (%s)", why)
        self._server.restart(gently=gently)
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
        self._alive_at.pop(what, None)
        log.warning(
            "%s brought back in %.1f s (%d since the start)", what, time.monotonic() - began, self.revivals[what]
        )


def answers(metrics_url: str) -> Counter[tuple[str, str]]:
    """How many requests were answered and parts played so far, by Triton's name for it and model."""
    played: Counter[tuple[str, str]] = Counter()
    try:
        with urllib.request.urlopen(f"http://{metrics_url}/metrics", timeout=5) as told:
            page = told.read().decode()
    except OSError as error:
        raise Unavailable(f"{metrics_url}: the server's metrics cannot be read ({error}).") from error
    for metric, model, value in PLAYED.findall(page):
        played[metric, model] += float(value)  # type: ignore[assignment]  (one a version)
    return played
