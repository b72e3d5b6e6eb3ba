"""A golden request: asked of a model where it was made, and asked again wherever it is put to work.

golden = Golden.record("groove", folder, request)     # plays it in this process
golden.compare(contract, reply.arrays)                # a sentence when the answer is another one
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.music.errors import BadInput, GateFailed
from models.music.files import whole_file
from serving.asker import whole
from serving.contract import Arrays, ModelContract, spoken_number
from serving.families import family
from serving.in_process import InProcess

FILE = "golden.npz"


@dataclass(frozen=True)
class Golden:
    """One request and its answer."""

    request: Arrays
    answer: Arrays

    @classmethod
    def record(cls, name: str, folder: str | os.PathLike[str], request: Arrays | None = None) -> Golden:
        """Play a request (the canary, unless given) and keep what came."""
        contract = family(name).contract
        request = contract.canary_request() if request is None else request
        return cls(request, whole(InProcess(folder), contract, request).arrays)

    def write(self, path: str | os.PathLike[str]) -> Path:
        arrays = {f"in.{k}": v for k, v in self.request.items()} | {f"out.{k}": v for k, v in self.answer.items()}
        with whole_file(path) as part, open(part, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        return Path(path)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Golden:
        try:
            with np.load(path, allow_pickle=False) as kept:
                arrays = {name: kept[name] for name in kept.files}
        except (OSError, ValueError) as error:
            raise BadInput(f"{path}: not a golden request ({error}). Register the model again.") from error
        return cls(
            {k.removeprefix("in."): v for k, v in arrays.items() if k.startswith("in.")},
            {k.removeprefix("out."): v for k, v in arrays.items() if k.startswith("out.")},
        )

    def compare(self, contract: ModelContract, given: Arrays) -> None:
        """Raise GateFailed unless an answer is the recorded one, within each tensor's tolerance."""
        for tensor in contract.outputs:
            if tensor.name not in self.answer:
                raise GateFailed(
                    f"{contract.name}: its golden answer has no {tensor.name}; an older version made it. Register the model again."
                )
            wanted, got = self.answer[tensor.name], given[tensor.name]
            if wanted.shape != got.shape:
                raise GateFailed(
                    f"{contract.name}: golden {tensor.name} has shape {list(got.shape)}, not {list(wanted.shape)}."
                )
            far = np.abs(wanted.astype(np.float64) - got.astype(np.float64)).max(initial=0.0)
            if not far <= tensor.tolerance:
                raise GateFailed(
                    f"{contract.name}: golden {tensor.name} is off by {spoken_number(far)}; {spoken_number(tensor.tolerance)} is allowed."
                )
