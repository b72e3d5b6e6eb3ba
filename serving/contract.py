"""The wire contract: what a served model takes and gives, written once.

    GROOVE.check({"hits": hits, "bars": bars, ...})      # both ends call this, so both say the same sentence
    config_pbtxt(GROOVE, versions=[3])                   # what Triton reads

`config.pbtxt`, backends, clients and MLflow signatures derive from it. Each model's own is in serving/contracts/.
numpy and models.music only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.music.errors import BadInput

Arrays = Mapping[str, NDArray[Any]]

ANY = -1
"""An axis as long as the sender likes, up to the tensor's `longest`."""
NUMPY = {"FP32": np.float32, "INT32": np.int32, "INT64": np.int64, "UINT8": np.uint8}
NAME = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True)
class Tensor:
    """One named array on the wire, with the limits its receiver insists on."""

    name: str
    dtype: str
    """FP32, INT32, INT64 or UINT8: nothing else crosses to the backends unharmed."""
    shape: tuple[int, ...]
    longest: int = 1
    """The most that an ANY axis may have."""
    shortest: int = 1
    low: float = -math.inf
    high: float = math.inf
    optional: bool = False
    tolerance: float = 0.0
    """For an output: how far a golden answer may lie from the recorded one."""

    def __post_init__(self) -> None:
        if self.dtype not in NUMPY:
            raise ValueError(f"tensor {self.name}: dtype {self.dtype}; choose one of {', '.join(NUMPY)}")

    def check(self, value: Any, model: str) -> None:
        """Raise BadInput with one sentence unless a value fits; cheap things first, so an oversized one costs nothing."""
        where = f"{model}: {self.name}"
        if not isinstance(value, np.ndarray) or value.dtype != NUMPY[self.dtype]:
            given = getattr(value, "dtype", type(value).__name__)
            raise BadInput(f"{where} is {given}; give {self.spoken}.")
        fits = len(value.shape) == len(self.shape) and all(
            self.shortest <= given <= self.longest if wanted == ANY else given == wanted
            for given, wanted in zip(value.shape, self.shape, strict=True)
        )
        if not fits:
            raise BadInput(f"{where} has shape {list(value.shape)}; give {self.spoken}.")
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise BadInput(
                f"{where} holds NaN or infinity at {int(np.argmin(np.isfinite(value)))}; give finite numbers."
            )
        outside = (value < self.low) | (value > self.high)
        if outside.any():
            raise BadInput(f"{where} is {value[outside][0]:g}; give {self.low:g} to {self.high:g}.")

    @property
    def spoken(self) -> str:
        """The shape as a sentence says it: `int32 [n, 4] with n from 1 to 4096`."""
        axes = ", ".join("n" if axis == ANY else str(axis) for axis in self.shape)
        limits = f" with n from {self.shortest} to {self.longest}" if ANY in self.shape else ""
        return f"{np.dtype(NUMPY[self.dtype]).name} [{axes}]{limits}"


@dataclass(frozen=True)
class ModelContract:
    """One served model: its name, what goes in, what comes out, and how Triton may run it."""

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    canary: Mapping[str, Any] = field(default_factory=dict)
    """A small real request: it warms a backend, proves readiness, watches over a server, and is the default golden one."""
    max_batch: int = 0
    """The most requests Triton may hand over at once; 0 = one at a time, without a batch axis on the wire."""
    decoupled: bool = False
    """One request, many replies."""
    gpu: bool = False
    """Worth a GPU where there is one."""

    def __post_init__(self) -> None:
        check_name(self.name)

    def check(self, arrays: Arrays) -> None:
        """Raise BadInput with one sentence unless these arrays are a request this model takes."""
        self._check(self.inputs, arrays)

    def check_answer(self, arrays: Arrays) -> None:
        """Raise BadInput unless these arrays are an answer this model may give."""
        self._check(self.outputs, arrays)

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


def check_name(name: str) -> str:
    """Return a model name, or refuse one that could name a path."""
    if not NAME.fullmatch(name):
        raise BadInput(f"model name {name!r}: use small letters, digits and _ only.")
    return name


def config_pbtxt(contract: ModelContract, versions: Sequence[int], name: str | None = None) -> str:
    """Write Triton's configuration of a model that serves exactly these versions."""
    batched = contract.max_batch > 0
    lines = [
        f'name: "{check_name(name or contract.name)}"',
        'backend: "python"',
        f"max_batch_size: {contract.max_batch}",
    ]
    for kind, tensors in (("input", contract.inputs), ("output", contract.outputs)):
        lines += [f"{kind} [", ",\n".join(_tensor_pbtxt(tensor, kind, batched) for tensor in tensors), "]"]
    if batched:  # plain: queue policies and priorities stall requests for up to half a second
        lines.append("dynamic_batching { }")
    if contract.decoupled:
        lines.append("model_transaction_policy { decoupled: true }")
    lines.append(f"version_policy {{ specific {{ versions: {sorted(versions)} }} }}")
    lines.append(f"instance_group [ {{ kind: {'KIND_AUTO' if contract.gpu else 'KIND_CPU'} count: 1 }} ]")
    return "\n".join(lines) + "\n"


def _tensor_pbtxt(tensor: Tensor, kind: str, batched: bool) -> str:
    extras = " optional: true" if tensor.optional else ""
    if kind == "input" and batched and ANY in tensor.shape:  # requests of different lengths share a batch
        extras += " allow_ragged_batch: true"
    return f'  {{ name: "{tensor.name}" data_type: TYPE_{tensor.dtype} dims: {list(tensor.shape)}{extras} }}'
