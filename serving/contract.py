"""The wire contract: what a served model takes and gives, written once.

    GROOVE.check({"hits": hits, "bars": bars, ...})      # both ends call this, so both say the same sentence
    config_pbtxt(GROOVE, versions=[3])                   # what Triton reads

`config.pbtxt`, backends, clients and MLflow signatures derive from it. Each model's own is in serving/contracts/.
numpy and models.music only.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.music.errors import BadInput

Arrays = Mapping[str, NDArray[Any]]
Mode = Literal["batched", "stream", "session"]

NUMPY = {"FP32": np.float32, "INT32": np.int32, "INT64": np.int64, "UINT8": np.uint8}
NAME = re.compile(r"[a-z0-9_]+")
TRITON_SESSIONS, TRITON_IDLE_S = 4096, 3600
"""Triton's own limits lie far above a contract's, so that the backend is the one to end a session, and to say why."""


@dataclass(frozen=True)
class Axis:
    """An axis as long as the sender likes, within limits that its receiver insists on."""

    name: str
    longest: int
    shortest: int = 1


@dataclass(frozen=True)
class Tensor:
    """One named array on the wire, with the limits its receiver insists on."""

    name: str
    dtype: str
    """FP32, INT32, INT64 or UINT8: nothing else crosses to the backends unharmed."""
    shape: tuple[int | Axis, ...]
    low: float = -math.inf
    high: float = math.inf
    optional: bool = False
    tolerance: float = 0.0
    """For an output: how far a golden answer may lie from the recorded one."""
    join: int | None = None
    """For an output in parts: the axis along which they make a whole; left out, it is the one open axis."""

    def __post_init__(self) -> None:
        if self.dtype not in NUMPY:
            raise ValueError(f"tensor {self.name}: dtype {self.dtype}; choose one of {', '.join(NUMPY)}")

    def check(self, value: Any, model: str) -> None:
        """Raise BadInput with one sentence unless a value fits; cheap things first, so an oversized one costs nothing."""
        where = f"{model}: {self.name}"
        if not isinstance(value, np.ndarray) or value.dtype != NUMPY[self.dtype]:
            given = getattr(value, "dtype", type(value).__name__)
            raise BadInput(f"{where} is {given}; give {self.spoken}.")
        if len(value.shape) != len(self.shape) or not all(map(_fits, self.shape, value.shape)):
            raise BadInput(f"{where} has shape {list(value.shape)}; give {self.spoken}.")
        if not value.size:
            return
        lowest, highest = value.min(), value.max()  # both are NaN where one number is
        if not (np.isfinite(lowest) and np.isfinite(highest)):
            raise BadInput(
                f"{where} holds NaN or infinity at {int(np.argmin(np.isfinite(value)))}; give finite numbers."
            )
        if lowest < self.low or highest > self.high:
            outside = value[(value < self.low) | (value > self.high)][0]
            raise BadInput(f"{where} is {spoken_number(outside)}; give {self._spoken_limits}.")

    def joined(self, parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Make one array of the parts of an answer."""
        if parts:
            return np.concatenate(parts, axis=self.seam)
        sizes = [axis.shortest if isinstance(axis, Axis) else axis for axis in self.shape]
        sizes[self.seam] = 0
        return np.empty(sizes, NUMPY[self.dtype])

    @property
    def dims(self) -> tuple[int, ...]:
        """The shape as Triton and MLflow write it: -1 for an open axis."""
        return tuple(-1 if isinstance(axis, Axis) else axis for axis in self.shape)

    @property
    def most_bytes(self) -> int:
        """What the longest that fits takes."""
        sizes = [axis.longest if isinstance(axis, Axis) else axis for axis in self.shape]
        return math.prod(sizes) * np.dtype(NUMPY[self.dtype]).itemsize

    @property
    def seam(self) -> int:
        """The axis along which parts are joined."""
        if self.join is not None:
            return self.join
        opened = [place for place, axis in enumerate(self.shape) if isinstance(axis, Axis)]
        if len(opened) != 1:
            raise ValueError(f"tensor {self.name}: say with join= along which axis its parts make a whole")
        return opened[0]

    @property
    def spoken(self) -> str:
        """The shape as a sentence says it: `int32 [n, 4] with n from 1 to 4096`."""
        axes = ", ".join(axis.name if isinstance(axis, Axis) else str(axis) for axis in self.shape)
        limits = " and ".join(
            f"{axis.name} from {axis.shortest} to {axis.longest}" for axis in self.shape if isinstance(axis, Axis)
        )
        return f"{np.dtype(NUMPY[self.dtype]).name} [{axes}]{limits and ' with ' + limits}"

    @property
    def _spoken_limits(self) -> str:
        low, high = spoken_number(self.low), spoken_number(self.high)
        if math.isinf(self.high):
            return f"{low} or more"
        return f"{high} or less" if math.isinf(self.low) else f"{low} to {high}"


@dataclass(frozen=True)
class Patience:
    """How long to wait for a model before calling it hung, in seconds."""

    answer_s: float = 10.0
    """For an answer that comes at once."""
    first_s: float = 5.0
    """For the first part of an answer in parts."""
    between_s: float = 5.0
    """For each further part."""
    canary_s: float = 5.0
    """So long after its last sign of life a watchdog asks for another."""


@dataclass(frozen=True)
class Capacity:
    """How much a model that answers in parts takes on at once; whoever comes after that is told so."""

    at_once: int = 8
    """So many answers are played at the same time."""
    waiting: int = 8
    """So many more requests wait for their turn."""
    sessions: int = 64
    """So many sessions are open."""
    idle_s: float = 60.0
    """A session that asks for nothing so long is ended."""
    memory_mb: float = 512.0
    """What all sessions may keep; beyond it those that have been idle longest are ended."""


@dataclass(frozen=True)
class ModelContract:
    """One served model: its name, what goes in, what comes out, and how Triton may run it."""

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    canary: Mapping[str, Any] = field(default_factory=dict)
    """A small real request: it warms a backend, proves readiness, watches over a server, and is the default golden one."""
    mode: Mode = "batched"
    """One request one answer; one request a stream of parts; or a session of requests that remembers, each in parts."""
    max_batch: int = 0
    """The most requests Triton may hand over at once; 0 = one at a time, without a batch axis on the wire."""
    processes: int = 1
    """So many play it side by side, each with a copy of its own in memory; sessions and streams live in one."""
    gpu: bool = False
    """Worth a GPU where there is one."""
    patience: Patience = Patience()
    capacity: Capacity = Capacity()
    told: Callable[[Path], Mapping[str, str]] = lambda folder: {}
    """What a client may ask about a version beside playing it, read from the model's folder."""

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.mode != "batched":
            if self.max_batch or self.processes > 1:
                raise ValueError(
                    f"{self.name}: only a batched model has a max_batch or several processes, this one is a {self.mode}"
                )
            for tensor in self.outputs:
                _ = tensor.seam

    def check(self, arrays: Arrays) -> None:
        """Raise BadInput with one sentence unless these arrays are a request this model takes."""
        self._check(self.inputs, arrays)

    def check_answer(self, arrays: Arrays) -> None:
        """Raise BadInput unless these arrays are an answer this model may give, or a part of one."""
        self._check(self.outputs, arrays)

    def join(self, parts: Sequence[Arrays]) -> Arrays:
        """Make one answer of its parts."""
        return {tensor.name: tensor.joined([part[tensor.name] for part in parts]) for tensor in self.outputs}

    @property
    def bytes_in_flight(self) -> int:
        """What the most and longest requests that are played at once take, with an answer each."""
        at_once = max(1, self.max_batch) if self.mode == "batched" else self.capacity.at_once + self.capacity.waiting
        return at_once * sum(tensor.most_bytes for tensor in (*self.inputs, *self.outputs))

    def canary_request(self) -> dict[str, NDArray[Any]]:
        kinds = {tensor.name: NUMPY[tensor.dtype] for tensor in self.inputs}
        return {name: np.array(value, kinds[name]) for name, value in self.canary.items()}

    def _check(self, tensors: Sequence[Tensor], arrays: Arrays) -> None:
        strange = set(arrays) - {tensor.name for tensor in tensors}
        if strange:
            known = ", ".join(tensor.name for tensor in tensors)
            raise BadInput(f"{self.name}: there is no {sorted(strange)[0]!r}; it has {known}.")
        for tensor in tensors:
            if tensor.name in arrays:
                tensor.check(arrays[tensor.name], self.name)
            elif not tensor.optional:
                raise BadInput(f"{self.name}: {tensor.name} is missing; give {tensor.spoken}.")


def spoken_number(number: Any) -> str:
    """A number as a sentence says it: 2147483647 rather than 2.14748e+09, and 0.25 as it is."""
    if isinstance(number, np.integer):
        return str(number)
    return str(int(number)) if math.isfinite(number) and number == int(number) else f"{number:g}"


def check_name(name: str) -> str:
    """Return a model name, or refuse one that could name a path."""
    if not NAME.fullmatch(name):
        raise BadInput(f"model name {name!r}: use small letters, digits and _ only.")
    return name


def config_pbtxt(
    contract: ModelContract, versions: Sequence[int], name: str | None = None, told: Mapping[str, str] | None = None
) -> str:
    """Write Triton's configuration of a model that serves exactly these versions, and what it tells about the newest."""
    lines = [
        f'name: "{check_name(name or contract.name)}"',
        'backend: "python"',
        f"max_batch_size: {contract.max_batch}",
    ]
    for kind, tensors in (("input", contract.inputs), ("output", contract.outputs)):
        lines += [f"{kind} [", ",\n".join(_tensor_pbtxt(tensor, kind, contract) for tensor in tensors), "]"]
    if contract.max_batch:  # plain: queue policies and priorities stall requests for up to half a second
        lines.append("dynamic_batching { }")
    if contract.mode != "batched":
        lines.append("model_transaction_policy { decoupled: true }")
    if contract.mode == "session":
        lines += _sequence_pbtxt()
    lines.append(f"version_policy {{ specific {{ versions: {sorted(versions)} }} }}")
    lines.append(
        f"instance_group [ {{ kind: {'KIND_AUTO' if contract.gpu else 'KIND_CPU'} count: {contract.processes} }} ]"
    )
    for key, value in (told or {}).items():
        lines.append(f"parameters {{ key: {json.dumps(key)} value {{ string_value: {json.dumps(value)} }} }}")
    return "\n".join(lines) + "\n"


def _tensor_pbtxt(tensor: Tensor, kind: str, contract: ModelContract) -> str:
    extras = ""
    if kind == "input":
        if tensor.optional or contract.mode == "session":  # a session begins, stops and ends without any
            extras += " optional: true"
        if contract.max_batch and -1 in tensor.dims:  # requests of different lengths share a batch
            extras += " allow_ragged_batch: true"
    return f'  {{ name: "{tensor.name}" data_type: TYPE_{tensor.dtype} dims: {list(tensor.dims)}{extras} }}'


def _sequence_pbtxt() -> list[str]:
    """Sequence batching by age: each session's requests arrive in order, and none waits for another to be played."""
    return [
        "sequence_batching {",
        f"  max_sequence_idle_microseconds: {TRITON_IDLE_S * 1_000_000}",
        f"  oldest {{ max_candidate_sequences: {TRITON_SESSIONS} }}",
        "}",
    ]


def _fits(axis: int | Axis, size: int) -> bool:
    return axis.shortest <= size <= axis.longest if isinstance(axis, Axis) else size == axis
