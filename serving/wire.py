"""Arrays to Triton's messages and back, for the client's side of the wire."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.music.errors import BadInput, Refused
from serving.asker import Reply
from serving.contract import NUMPY, Arrays, ModelContract

FINAL = "triton_final_response"


def request_of(
    contract: ModelContract, arrays: Arrays, version: int | None = None, **parameters: bool | int | str
) -> Any:
    """Write a request as Triton reads it."""
    from tritonclient.grpc import service_pb2

    request = service_pb2.ModelInferRequest(  # pyright: ignore[reportAttributeAccessIssue]  (made at run time)
        model_name=contract.name, model_version="" if version is None else str(version)
    )
    dtypes = {tensor.name: tensor.dtype for tensor in contract.inputs}
    for name, array in arrays.items():
        sent = array[None] if contract.max_batch else array
        request.inputs.add(name=name, datatype=dtypes[name], shape=sent.shape)
        request.raw_input_contents.append(sent.tobytes())
    kinds = {bool: "bool_param", int: "int64_param", str: "string_param"}
    for key, value in parameters.items():
        setattr(request.parameters[key], kinds[type(value)], value)
    return request


def reply_of(contract: ModelContract, response: Any, url: str) -> Reply:
    """Read what came; raise Refused unless it is what the contract promises."""
    told = {}
    try:
        for output, raw in zip(response.outputs, response.raw_output_contents, strict=True):
            array = np.frombuffer(raw, NUMPY[output.datatype]).reshape(tuple(output.shape))
            told[output.name] = array[0] if contract.max_batch else array
        contract.check_answer(told)
    except (BadInput, ValueError, KeyError, IndexError) as error:
        raise Refused(f"{url}: the answer breaks the contract: {error} Deploy another version.") from error
    return Reply(told, int(response.model_version))


def is_final(response: Any) -> bool:
    """Whether nothing comes after this."""
    return FINAL in response.parameters and response.parameters[FINAL].bool_param
