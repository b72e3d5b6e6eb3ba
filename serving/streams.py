"""The client's side of answers in parts: one gRPC stream a call or a session, and whoever reads from it.

    call = Call(stub, url)
    line = call.send(request)           # parts come in on this line, whatever else is asked on the same stream

A line tells silence from death: while a request is being played or waits for its turn, the backend is heard four times a
second. Triton itself never says that a model's process died in the middle of a stream.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from models.music.errors import ServingError, TooLate, Unavailable
from serving.asker import Parts, Reply, Session
from serving.calls import spoken, spoken_rpc
from serving.contract import Arrays, ModelContract
from serving.wire import is_final, reply_of, request_of

SILENCE_S = 2.0
"""So long without a sign of life, and the process behind a line is dead (eight signs are missing)."""
GRACE_S = 0.1
"""This process may be the one that slept: what came meanwhile shall be read first."""
FAREWELL_S = 1.0


class Line:
    """What has come for one request and was not read yet."""

    def __init__(self, url: str, number: str) -> None:
        self.number = number
        self._url = url
        self._came: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._heard_at = time.monotonic()

    def put(self, message: Any) -> None:
        self._heard_at = time.monotonic()
        self._came.put(message)

    def next(self, deadline_s: float, sign: bool = False) -> Any:
        """Wait for the next message that is more than a sign of life (or for that much); raise what ended the line."""
        end = time.monotonic() + deadline_s
        while True:
            message = self._wait(end, deadline_s)
            if isinstance(message, ServingError):
                raise message
            if sign or message.outputs or is_final(message):
                return message

    def _wait(self, end: float, deadline_s: float) -> Any:
        while True:
            dead_at = self._heard_at + SILENCE_S
            with contextlib.suppress(queue.Empty):
                return self._came.get(timeout=max(0.0, min(end, dead_at) - time.monotonic()))
            if self._heard_at + SILENCE_S > dead_at and time.monotonic() < end:
                continue
            with contextlib.suppress(queue.Empty):
                return self._came.get(timeout=GRACE_S)
            if time.monotonic() - self._heard_at < SILENCE_S:
                raise TooLate(f"{self._url}: no answer within {deadline_s:g} s. Ask again, or allow more time.")
            raise Unavailable(
                f"{self._url}: the model's process has died while it played; "
                "`jamflow serve` starts it again within seconds. Ask again."
            )


class Call:
    """One gRPC stream: requests go out, and a thread hands each reply to the line of its request."""

    def __init__(self, stub: Any, url: str) -> None:
        self._url = url
        self._numbers = itertools.count(1)
        self._lines: dict[str, Line] = {}
        self._broken: ServingError | None = None
        self._lock = threading.RLock()  # a forgotten answer may be closed by the garbage collector at any point
        self._outgoing: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._replies = stub.ModelStreamInfer(iter(self._outgoing.get, None))
        threading.Thread(target=self._listen, name="jamflow-stream", daemon=True).start()

    @property
    def open(self) -> bool:
        """Whether requests can still go out."""
        with self._lock:
            return self._broken is None

    def send(self, request: Any) -> Line:
        """Send a request; its replies come on the line."""
        line = Line(self._url, str(next(self._numbers)))
        with self._lock:
            if self._broken is not None:
                raise type(self._broken)(str(self._broken))
            request.id = line.number
            request.parameters["triton_enable_empty_final_response"].bool_param = True
            self._lines[request.id] = line
            self._outgoing.put(request)
        return line

    def close(self, cancel: bool) -> None:
        """End the stream: after what is still to come, or at once."""
        with self._lock:
            self._broken = self._broken or Unavailable(f"{self._url}: the stream was closed here. Open another.")
        self._outgoing.put(None)
        if cancel:
            self._replies.cancel()

    def _listen(self) -> None:
        from grpc import RpcError

        broken: ServingError = Unavailable(f"{self._url}: the stream ended before its last part. Ask again.")
        try:
            for message in self._replies:
                self._hand_over(message)
        except RpcError as error:
            broken = spoken_rpc(error, self._url, 0.0)
        self._outgoing.put(None)
        with self._lock:
            self._broken = self._broken or broken
            left = list(self._lines.values())
        for line in left:
            line.put(self._broken)

    def _hand_over(self, message: Any) -> None:
        response = message.infer_response
        with self._lock:
            over = message.error_message or is_final(response)
            line = self._lines.pop(response.id, None) if over else self._lines.get(response.id)
        if line is not None:
            line.put(spoken("", message.error_message, self._url, 0.0) if message.error_message else response)


class ServedParts(Parts):
    """An answer's parts as they come over the wire, each checked, each within its deadline."""

    _over = True  # until there is something to close

    def __init__(
        self, contract: ModelContract, url: str, line: Line, deadline_s: float | None, leave: Callable[[bool], None]
    ) -> None:
        self._contract, self._url, self._line, self._leave = contract, url, line, leave
        patience = contract.patience
        self._wait_s = patience.first_s if deadline_s is None else deadline_s
        self._further_s = patience.between_s if deadline_s is None else deadline_s
        self._over = False

    def __next__(self) -> Reply:
        if self._over:
            raise StopIteration
        try:
            response = self._line.next(self._wait_s)
            self._wait_s = self._further_s
            if is_final(response):
                self._end(early=False)
            if not response.outputs:
                raise StopIteration
            return reply_of(self._contract, response, self._url)
        except ServingError:
            self._end(early=True)
            raise

    def close(self) -> None:
        self._end(early=True)

    def _end(self, early: bool) -> None:
        if not self._over:
            self._over = True
            self._leave(early)


class ServedSession(Session):
    """A session on a server, on a stream of its own, which ends with it."""

    def __init__(
        self, stub: Any, url: str, contract: ModelContract, deadline_s: float | None, version: int | None
    ) -> None:
        self._contract, self._url, self._version, self._deadline_s = contract, url, version, deadline_s
        self._id = secrets.randbelow(2**62) + 1
        self._call = Call(stub, url)
        self._closed = False
        try:
            self._answered(self._send({}, sequence_start=True))
        except ServingError:
            self.close()
            raise

    def ask(self, arrays: Arrays, deadline_s: float | None = None) -> Parts:
        self._contract.check(arrays)
        line = self._send(arrays)

        def leave(early: bool) -> None:
            if early and not self._closed:
                with contextlib.suppress(ServingError):
                    self._send({}, stop=line.number)

        return ServedParts(
            self._contract, self._url, line, self._deadline_s if deadline_s is None else deadline_s, leave
        )

    def stop(self) -> None:
        self._answered(self._send({}, stop=""))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(ServingError):
            self._send({}, sequence_end=True).next(FAREWELL_S)
        self._call.close(cancel=True)

    def _answered(self, line: Line) -> None:
        line.next(self._contract.patience.first_s if self._deadline_s is None else self._deadline_s, sign=True)

    def _send(self, arrays: Arrays, **parameters: bool | str) -> Line:
        flags = {"sequence_start": False, "sequence_end": False} | parameters
        return self._call.send(request_of(self._contract, arrays, self._version, sequence_id=self._id, **flags))
