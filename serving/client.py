"""Ask a Jamflow server for music: typed errors, a deadline on every call. No torch, and no family: those ask through it.

    with JamflowClient("127.0.0.1:8001", deadline_s=2.0) as client:
        reply = groove(client, hits, bars=2, mode="vary", temperature=0.8, seed=7)     # serving/contracts/groove.py

Unavailable: nobody answers. TooLate: the deadline passed. Refused: the server said no, and why. BadInput: it was never sent,
because it does not fit the contract. The same client goes on working after the server was restarted on its address.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.music.errors import BadInput, Refused
from serving.asker import Reply
from serving.calls import spoken_errors
from serving.contract import Arrays, ModelContract

# Try again every 50 to 500 ms; gRPC's own pauses grow to two minutes.
_RECONNECT = [
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
]


class JamflowClient:
    """One connection to one server; not for several threads at once."""

    def __init__(self, url: str, deadline_s: float = 2.0) -> None:
        import tritonclient.grpc as grpc

        self.url = url
        self.deadline_s = deadline_s
        self._grpc = grpc
        self._client = grpc.InferenceServerClient(url, channel_args=_RECONNECT)

    def __enter__(self) -> JamflowClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def ask(
        self,
        contract: ModelContract,
        arrays: Arrays,
        deadline_s: float | None = None,
        version: int | None = None,
        name: str | None = None,
    ) -> Reply:
        """Send a request that fits the contract to the model of its name (or of another that keeps the same contract)."""
        contract.check(arrays)
        deadline_s = self.deadline_s if deadline_s is None else deadline_s
        if deadline_s <= 0:
            raise BadInput(f"deadline_s is {deadline_s:g}; it must be above 0.")
        with spoken_errors(self.url, deadline_s):
            answer: Any = self._client.infer(
                name or contract.name,
                [self._tensor(contract, tensor_name, array) for tensor_name, array in arrays.items()],
                model_version="" if version is None else str(version),
                client_timeout=deadline_s,
            )
        told = {tensor.name: answer.as_numpy(tensor.name) for tensor in contract.outputs}
        if contract.max_batch:
            told = {tensor_name: array[0] for tensor_name, array in told.items()}
        try:
            contract.check_answer(told)
        except BadInput as error:
            raise Refused(f"{self.url}: the answer breaks the contract: {error} Deploy another version.") from error
        return Reply(told, int(answer.get_response().model_version))

    def prove(self, contract: ModelContract, deadline_s: float | None = None, version: int | None = None) -> Reply:
        """Send the model's canary: health is a played note, not a flag (a dead model still says it is ready)."""
        return self.ask(contract, contract.canary_request(), deadline_s, version)

    def _tensor(self, contract: ModelContract, name: str, array: NDArray[Any]) -> Any:
        dtype = next(tensor.dtype for tensor in contract.inputs if tensor.name == name)
        sent = array[None] if contract.max_batch else array
        tensor = self._grpc.InferInput(name, list(sent.shape), dtype)
        tensor.set_data_from_numpy(np.ascontiguousarray(sent))
        return tensor
