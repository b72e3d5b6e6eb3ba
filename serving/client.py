"""Ask a Jamflow server for music: typed answers, typed errors, a deadline on every call. No torch.

    with JamflowClient("127.0.0.1:8001", deadline_s=2.0) as client:
        reply = client.groove(hits, bars=2, mode="vary", temperature=0.8, seed=7)
        reply.notes, reply.model_version

Unavailable: nobody answers. TooLate: the deadline passed. Refused: the server said no, and why. BadInput: it was never sent,
because it does not fit the contract. The same client goes on working after the server was restarted on its address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.music.errors import BadInput, Refused
from serving.calls import spoken_errors
from serving.contract import GROOVE_MODES, MODELS, ROLE_NAMES, Arrays, ModelContract

# Try again every 50 to 500 ms; gRPC's own pauses grow to two minutes.
_RECONNECT = [
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
]


@dataclass(frozen=True)
class Reply:
    """What any model answered, and which version of it."""

    arrays: Arrays
    model_version: int
    """The MLflow version that played: the key to everything known about it."""


@dataclass(frozen=True)
class GrooveReply:
    """What the groove model played."""

    notes: NDArray[np.int32]
    """int32[n, 4]: pitch, velocity, onset_ticks, duration_ticks."""
    model_version: int


@dataclass(frozen=True)
class RolesReply:
    """What a one-shot does in a beat."""

    scores: dict[str, float]
    """By role, in the order of ROLE_NAMES; they sum to 1."""
    role: str
    confidence: float
    """Probability that the role is right."""
    model_version: int


class JamflowClient:
    """One connection to one server; not for several threads at once."""

    def __init__(self, url: str, deadline_s: float = 2.0, contracts: Mapping[str, ModelContract] = MODELS) -> None:
        import tritonclient.grpc as grpc

        self.url = url
        self.deadline_s = deadline_s
        self._grpc = grpc
        self._contracts = contracts
        self._client = grpc.InferenceServerClient(url, channel_args=_RECONNECT)

    def __enter__(self) -> JamflowClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def groove(
        self,
        hits: ArrayLike,
        bars: int,
        mode: str = "humanise",
        temperature: float = 0.0,
        seed: int = 0,
        deadline_s: float | None = None,
    ) -> GrooveReply:
        """Humanise or vary a beat of [n, 4] hits, or make one from taps."""
        if mode not in GROOVE_MODES:
            raise BadInput(f"groove: mode is {mode!r}; choose one of {', '.join(GROOVE_MODES)}.")
        arrays = {
            "hits": _whole("hits", hits, np.int32),
            "bars": _whole("bars", [bars], np.int32),
            "temperature": np.array([temperature], np.float32),
            "mode": np.array([GROOVE_MODES.index(mode)], np.int32),
            "seed": _whole("seed", [seed], np.int64),
        }
        if not arrays["hits"].size:
            arrays["hits"] = arrays["hits"].reshape(-1, 4)
        reply = self.ask("groove", arrays, deadline_s)
        return GrooveReply(reply.arrays["notes"], reply.model_version)

    def roles(self, audio: ArrayLike, features: ArrayLike | None = None, deadline_s: float | None = None) -> RolesReply:
        """Ask for the role of a one-shot: float32[t] at 16 kHz, and its eleven features where they are known."""
        arrays = {"audio": np.asarray(audio, np.float32)}
        if features is not None:
            arrays["features"] = np.asarray(features, np.float32)
        reply = self.ask("roles", arrays, deadline_s)
        scores: dict[str, float] = dict(zip(ROLE_NAMES, map(float, reply.arrays["scores"]), strict=True))
        role, confidence = ROLE_NAMES[int(reply.arrays["role"][0])], float(reply.arrays["confidence"][0])
        return RolesReply(scores, role, confidence, reply.model_version)

    def ask(
        self,
        name: str,
        arrays: Arrays,
        deadline_s: float | None = None,
        version: int | None = None,
        of: str | None = None,
    ) -> Reply:
        """Send a request that fits the contract of `of` (the model itself, unless said) to any version of a model."""
        contract = self._contract(of or name)
        contract.check(arrays)
        deadline_s = self.deadline_s if deadline_s is None else deadline_s
        if deadline_s <= 0:
            raise BadInput(f"deadline_s is {deadline_s:g}; it must be above 0.")
        with spoken_errors(self.url, deadline_s):
            answer: Any = self._client.infer(
                name,
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

    def prove(self, name: str, deadline_s: float | None = None, version: int | None = None) -> Reply:
        """Send the model's canary: health is a played note, not a flag (a dead model still says it is ready)."""
        return self.ask(name, self._contract(name).canary_request(), deadline_s, version)

    def _contract(self, name: str) -> ModelContract:
        if name not in self._contracts:
            raise BadInput(f"no served model is called {name!r}; there are {', '.join(self._contracts)}.")
        return self._contracts[name]

    def _tensor(self, contract: ModelContract, name: str, array: NDArray[Any]) -> Any:
        dtype = next(tensor.dtype for tensor in contract.inputs if tensor.name == name)
        sent = array[None] if contract.max_batch else array
        tensor = self._grpc.InferInput(name, list(sent.shape), dtype)
        tensor.set_data_from_numpy(np.ascontiguousarray(sent))
        return tensor


def _whole(name: str, values: ArrayLike, kind: type[np.signedinteger[Any]]) -> NDArray[Any]:
    """Turn numbers into the wire's whole ones, or refuse those that would not be the same there."""
    try:
        given = np.asarray(values)
        with np.errstate(invalid="ignore"):
            sent = given.astype(kind)
    except (ValueError, TypeError, OverflowError) as error:
        raise BadInput(f"groove: {name} does not fit {kind.__name__} ({error}). Give whole numbers.") from error
    if not np.array_equal(sent, given):
        raise BadInput(f"groove: {name} does not fit {kind.__name__}; give whole numbers within its range.")
    return sent
