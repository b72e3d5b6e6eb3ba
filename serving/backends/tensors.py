"""Tensors between Triton and numpy, and errors as Triton tells them.

Tensors cross by DLPack through torch, never by `as_numpy()`: the embedded interpreter hands numpy 2 empty arrays. They cross
as capsules, since the protocol's own methods take ten times as long and every part of an answer pays for them.
"""

from __future__ import annotations

import logging
import math
from typing import Any

import numpy as np
import torch

from models.music.errors import BadInput, JamflowError
from serving.contract import Arrays, ModelContract

log = logging.getLogger(__name__)


def read(request: Any, contract: ModelContract) -> dict[str, np.ndarray]:
    """One request's arrays; the sender's memory is not copied, and goes with the request."""
    arrays = {}
    for tensor in request.inputs():
        array = torch.from_dlpack(tensor.to_dlpack()).numpy()
        if contract.max_batch:
            if array.shape[:1] != (1,):
                raise BadInput(
                    f"{contract.name}: {tensor.name()} has {list(array.shape)[:1]} rows; send one request each."
                )
            array = array[0]
        arrays[tensor.name()] = array
    return arrays


def response(contract: ModelContract, answer: Arrays | Exception) -> Any:
    """An answer, a part of one (no arrays are a mere sign of life), or why there is none."""
    import triton_python_backend_utils as pb  # pyright: ignore[reportMissingImports]  (there only inside Triton)

    if isinstance(answer, Exception):
        known = isinstance(answer, JamflowError)
        if not known:
            log.error("%s: a request it should have answered", contract.name, exc_info=answer)
        code = pb.TritonError.INVALID_ARG if isinstance(answer, BadInput) else pb.TritonError.INTERNAL
        sentence = str(answer) if known else f"{contract.name}: {type(answer).__name__}: {answer}"
        return pb.InferenceResponse(error=pb.TritonError(sentence, code))
    return pb.InferenceResponse(
        [
            pb.Tensor.from_dlpack(name, torch.to_dlpack(_outgoing(array, contract.max_batch > 0)))
            for name, array in answer.items()
        ]
    )


def _outgoing(array: np.ndarray, batched: bool) -> torch.Tensor:
    sent = np.ascontiguousarray(array[None] if batched else array)
    if not sent.flags.writeable:  # torch would warn of an array that it may not write to
        sent = sent.copy()
    if sent.size == 0:  # Triton multiplies sizes up to strides, torch and numpy count an empty axis as one
        strides = [math.prod(sent.shape[axis + 1 :]) for axis in range(sent.ndim)]
        return torch.from_numpy(sent).as_strided(sent.shape, strides)
    return torch.from_numpy(sent)
