"""Ask a Jamflow server for music: typed errors, a deadline on every call. No torch, and no family: those ask through it.

    with JamflowClient("127.0.0.1:8001") as client:
        reply = groove(client, hits, bars=2, mode="vary", temperature=0.8, seed=7)     # serving/contracts/groove.py

Unavailable: nobody answers. TooLate: the deadline passed. Refused: the server said no, and why. BadInput: it was never sent,
because it does not fit the contract. One client serves many threads, and goes on working after the server was restarted on
its address. How answers in parts are asked for stands in serving/asker.py.
"""

from __future__ import annotations

import time
from typing import Any

from models.music.errors import BadInput, Busy
from serving.asker import Parts, Reply, Session, whole
from serving.calls import spoken_errors
from serving.contract import Arrays, ModelContract
from serving.streams import Call, ServedParts, ServedSession
from serving.wire import reply_of, request_of

AGAIN_S = 0.05

# Try again every 50 to 500 ms; gRPC's own pauses grow to two minutes.
_RECONNECT = [
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
]


class JamflowClient:
    """One connection to one server; `deadline_s` is the longest silence, in place of each contract's own patience."""

    def __init__(self, url: str, deadline_s: float | None = None) -> None:
        import grpc
        from tritonclient.grpc import service_pb2_grpc

        self.url = url
        self.deadline_s = deadline_s
        self._channel = grpc.insecure_channel(url, options=_RECONNECT)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
        self._idle: list[Call] = []

    def __enter__(self) -> JamflowClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close(cancel=True)
        self._channel.close()

    def ask(
        self, contract: ModelContract, arrays: Arrays, deadline_s: float | None = None, version: int | None = None
    ) -> Reply:
        """Send a request that fits the contract to the model of its name."""
        contract.check(arrays)
        deadline_s = self._deadline(deadline_s) or contract.patience.answer_s
        request = request_of(contract, arrays, version)
        response = self._answered(request, deadline_s)
        return reply_of(contract, response, self.url)

    def stream(
        self, contract: ModelContract, arrays: Arrays, deadline_s: float | None = None, version: int | None = None
    ) -> Parts:
        """Send a request and get its answer in parts, while they are made."""
        contract.check(arrays)
        deadline_s = self._deadline(deadline_s)
        call = self._idle_call()
        line = call.send(request_of(contract, arrays, version))

        def leave(early: bool) -> None:
            if early:
                call.close(cancel=True)
            else:
                self._idle.append(call)

        return ServedParts(contract, self.url, line, deadline_s, leave)

    def session(self, contract: ModelContract, deadline_s: float | None = None, version: int | None = None) -> Session:
        """Open a session, which keeps its memory on the server until it is closed."""
        return ServedSession(self._stub, self.url, contract, self._deadline(deadline_s), version)

    def prove(self, contract: ModelContract, deadline_s: float | None = None, version: int | None = None) -> Reply:
        """Send the model's canary: health is a played note, not a flag (a dead model still says it is ready)."""
        return whole(self, contract, contract.canary_request(), deadline_s, version)

    def told(self, contract: ModelContract, deadline_s: float = 1.0) -> dict[str, str]:
        """Ask what the served version tells about itself, by the names that its contract's `told` has."""
        from tritonclient.grpc import service_pb2

        request = service_pb2.ModelConfigRequest(name=contract.name)  # pyright: ignore[reportAttributeAccessIssue]
        with spoken_errors(self.url, deadline_s):
            parameters = self._stub.ModelConfig(request, timeout=deadline_s).config.parameters
        return {key: value.string_value for key, value in parameters.items()}

    def _answered(self, request: Any, deadline_s: float) -> Any:
        """Send a request until it is answered; one that shared a batch with somebody's oversized one goes again."""
        end = time.monotonic() + deadline_s
        while True:
            try:
                with spoken_errors(self.url, deadline_s):
                    return self._stub.ModelInfer(request, timeout=max(0.0, end - time.monotonic()))
            except Busy:
                if time.monotonic() + AGAIN_S > end:
                    raise
                time.sleep(AGAIN_S)

    def _idle_call(self) -> Call:
        """A stream whose last answer has ended, or a new one: to open one takes longer than to ask."""
        while True:
            try:
                call = self._idle.pop()
            except IndexError:
                return Call(self._stub, self.url)
            if call.open:
                return call

    def _deadline(self, given_s: float | None) -> float | None:
        deadline_s = self.deadline_s if given_s is None else given_s
        if deadline_s is not None and deadline_s <= 0:
            raise BadInput(f"deadline_s is {deadline_s:g}; it must be above 0.")
        return deadline_s
