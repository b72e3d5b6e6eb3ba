"""The threads that play answers in parts, and the line on which each goes back to its listener.

A crew plays a bounded number of answers at a time; a few more requests wait, and the next is told that all places are taken.
Four times a second it beats: it looks whether anybody still listens, and lets each listener hear that it lives.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from models.music.errors import BadInput, Busy, JamflowError
from serving.backends.player import Playing
from serving.backends.tensors import response
from serving.calls import FULL
from serving.contract import Arrays, ModelContract

log = logging.getLogger(__name__)

BEAT_S = 0.25
ASK_S = 0.02
"""Triton itself tells that a listener has gone about so late."""


class Line:
    """One request's way back: parts, then an end or an error; several threads may use it."""

    def __init__(self, contract: ModelContract, request: Any) -> None:
        self.number: str = request.request_id()
        self.parts = 0
        """How many have been sent."""
        self._contract = contract
        self._sender = request.get_response_sender()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._quiet, self._ended = True, False
        self._ask_at = time.monotonic() + ASK_S

    def send(self, arrays: Arrays) -> None:
        """Send a part that fits the contract."""
        try:
            self._contract.check_answer(arrays)
        except BadInput as error:
            raise JamflowError(f"the answer breaks the contract: {error} Deploy another version.") from error
        with self._lock:
            self._sender.send(response(self._contract, arrays))
            self._quiet = False
            self.parts += 1

    def end(self, error: Exception | None = None) -> None:
        """Say that nothing more comes, and why, if something went wrong."""
        import triton_python_backend_utils as pb  # pyright: ignore[reportMissingImports]  (there only inside Triton)

        final = pb.TRITONSERVER_RESPONSE_COMPLETE_FINAL
        with self._lock:
            if self._ended:
                return
            self._ended = True
            if error is None:
                self._sender.send(flags=final)
            else:
                self._sender.send(response(self._contract, error), flags=final)

    def stop(self) -> None:
        """Let whoever plays on this line end at the next part."""
        self._stopped.set()

    def stopped(self) -> bool:
        return self._stopped.is_set()

    def is_left(self) -> bool:
        """Whether it was stopped, or the listener has gone (asked of Triton now and then: it takes longer than a part may)."""
        with self._lock:
            now = time.monotonic()
            if not self._ended and not self.stopped() and now >= self._ask_at:
                self._ask_at = now + ASK_S
                if self._sender.is_cancelled():
                    self.stop()
        return self.stopped()

    def beat(self) -> None:
        """Notice a listener who has gone; give one who hears nothing a sign of life."""
        if self.is_left():
            return
        with self._lock:
            if self._quiet and not self._ended:
                self._sender.send(response(self._contract, {}))
            self._quiet = True


class Crew:
    """Plays the answers of one model."""

    def __init__(
        self, contract: ModelContract, name: str, version: str, housekeeping: Callable[[], None] = lambda: None
    ) -> None:
        self._contract, self._housekeeping = contract, housekeeping
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lines: set[Line] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._sent = 0
        for _ in range(contract.capacity.at_once):
            threading.Thread(target=self._work, daemon=True).start()
        threading.Thread(target=self._beat, args=(PartsCounter(name, version),), daemon=True).start()

    def admit(self, line: Line) -> None:
        """Take a request in, or say that there is no place for it."""
        capacity = self._contract.capacity
        most = capacity.at_once + capacity.waiting
        with self._lock:
            if len(self._lines) >= most and sum(not each.is_left() for each in self._lines) >= most:
                raise Busy(f"{self._contract.name}: all {most} {FULL}. Ask again in a moment.")
            self._lines.add(line)

    def soon(self, job: Callable[[], None]) -> None:
        """Do this when one of the crew is free."""
        self._jobs.put(job)

    def play(self, line: Line, begin: Callable[[], Playing]) -> None:
        """Play an admitted request to its end, or until nobody listens."""
        error: Exception | None = None
        try:
            if not line.is_left():
                self._send_all(line, begin())
        except Exception as raised:
            error = raised
        finally:
            with self._lock:
                self._lines.discard(line)
                self._sent += line.parts
        line.end(error)

    def close(self) -> None:
        self._over.set()
        for _ in range(self._contract.capacity.at_once):
            self._jobs.put(None)

    def _work(self) -> None:
        for job in iter(self._jobs.get, None):
            try:
                job()
            except Exception:
                log.exception("%s: a job failed", self._contract.name)

    @staticmethod
    def _send_all(line: Line, parts: Playing) -> None:
        try:
            for arrays in parts:
                line.send(arrays)
                if line.is_left():
                    return
        finally:
            parts.close()

    def _beat(self, counter: PartsCounter) -> None:
        while not self._over.wait(BEAT_S):
            with self._lock:
                playing = list(self._lines)
                sent = self._sent + sum(line.parts for line in playing)
            try:
                for line in playing:
                    line.beat()
                counter.tell(sent)
                self._housekeeping()
            except Exception:
                log.exception("%s: a beat failed", self._contract.name)


class PartsCounter:
    """Triton counts a request when it comes in; only this tells a watchdog that one is being played."""

    def __init__(self, name: str, version: str) -> None:
        import triton_python_backend_utils as pb  # pyright: ignore[reportMissingImports]  (there only inside Triton)

        kind = pb.MetricFamily.COUNTER
        self._family = pb.MetricFamily(name="jamflow_parts_total", description="Parts played", kind=kind)
        self._metric = self._family.Metric(labels={"model": name, "version": version})  # lives as long as its family
        self._told = 0

    def tell(self, sent: int) -> None:
        if sent > self._told:
            self._metric.increment(sent - self._told)
            self._told = sent
