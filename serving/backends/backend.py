"""What every Triton model of ours shares: tensors in and out, refusals, one answer for each request.

A model's `model.py` names its contract and its player; a player is any object with

    player.play([{"hits": int32[n, 4], ...}, ...]) -> [{"notes": int32[m, 4]}, ...]

that answers each request the same whatever company it comes in. The same player answers `mlflow.pyfunc` predictions.

Tensors cross by DLPack through torch, never by `as_numpy()`: the embedded interpreter hands numpy 2 empty arrays.
"""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import torch

from models.music.errors import BadInput, JamflowError
from serving.contract import Arrays, ModelContract

log = logging.getLogger(__name__)


class Player(Protocol):
    """Answers a list of requests; raises a JamflowError when one of them cannot be answered."""

    def play(self, requests: list[Arrays]) -> list[Arrays]: ...


class Backend:
    """A TritonPythonModel over a player."""

    contract: ClassVar[ModelContract]

    def open_player(self, folder: Path) -> Player:
        """Load the model from its folder."""
        raise NotImplementedError

    def initialize(self, args: dict[str, Any]) -> None:
        torch.set_num_threads(1)  # several models share the machine; threads of one request only fight
        folder = Path(args["model_repository"]) / args["model_version"] / "model"
        self._player = self.open_player(folder)
        self._player.play([self.contract.canary_request()])  # warm it up; one that cannot play does not load

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer each request of a batch; one that is refused takes no other with it."""
        import triton_python_backend_utils as pb  # pyright: ignore[reportMissingImports]  (there only inside Triton)

        asked = [self._read(request) for request in requests]
        return [self._response(pb, answer) for answer in self._answers(asked)]

    def _answers(self, asked: list[Arrays | JamflowError]) -> list[Arrays | Exception]:
        played = iter(self._played([request for request in asked if not isinstance(request, JamflowError)]))
        return [request if isinstance(request, JamflowError) else next(played) for request in asked]

    def _played(self, requests: list[Arrays]) -> list[Arrays | Exception]:
        if not requests:
            return []
        try:
            return list(self._player.play(requests))
        except Exception as error:
            if len(requests) > 1:  # find the culprit; the rest are answered all the same
                return [self._played([request])[0] for request in requests]
            if not isinstance(error, JamflowError):
                log.exception("%s: a request it should have answered", self.contract.name)
            return [error]

    def _read(self, request: Any) -> Arrays | JamflowError:
        """One request's arrays, checked against the contract; the sender's memory is not copied."""
        arrays = {}
        try:
            for tensor in request.inputs():
                array = torch.from_dlpack(tensor).numpy()
                if self.contract.max_batch:
                    if array.shape[:1] != (1,):
                        raise BadInput(
                            f"{self.contract.name}: {tensor.name()} has {list(array.shape)[:1]} rows; send one request each."
                        )
                    array = array[0]
                arrays[tensor.name()] = array
            self.contract.check(arrays)
        except JamflowError as error:
            return error
        return arrays

    def _response(self, pb: Any, answer: Arrays | Exception) -> Any:
        if isinstance(answer, Exception):
            known = isinstance(answer, JamflowError)
            code = pb.TritonError.INVALID_ARG if isinstance(answer, BadInput) else pb.TritonError.INTERNAL
            sentence = str(answer) if known else f"{self.contract.name}: {type(answer).__name__}: {answer}"
            return pb.InferenceResponse(error=pb.TritonError(sentence, code))
        return pb.InferenceResponse(
            [pb.Tensor.from_dlpack(name, self._outgoing(array)) for name, array in answer.items()]
        )

    def _outgoing(self, array: np.ndarray) -> torch.Tensor:
        batched = np.ascontiguousarray(array[None] if self.contract.max_batch else array)
        if batched.size == 0:  # Triton multiplies sizes up to strides, torch and numpy count an empty axis as one
            strides = [math.prod(batched.shape[axis + 1 :]) for axis in range(batched.ndim)]
            return torch.from_numpy(batched).as_strided(batched.shape, strides)
        return torch.from_numpy(batched)
