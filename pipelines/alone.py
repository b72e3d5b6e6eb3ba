"""A stage run alone is the same stage: wrapped in a pipeline of one, since KFP takes no artifact into a lone component.

pipeline = alone(slice_hits)        # its artifacts in are the pipeline's, so are its outputs
"""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

from kfp import dsl
from kfp.dsl import graph_component
from kfp.dsl.types import type_annotations

from backstage.stage import Stage


def alone(stage: Stage) -> Any:
    """Wrap a stage in a pipeline of the same name, parameters, artifacts and outputs."""
    signature = inspect.signature(stage.python_func)
    taken = [p for p in signature.parameters.values() if not _is_output(p.annotation)]
    outputs = stage.component_spec.outputs or {}
    kinds = {p.name: p.annotation.__origin__ for p in signature.parameters.values() if _is_output(p.annotation)}
    if "Output" in outputs:
        kinds["Output"] = signature.return_annotation

    def one(*values: Any) -> Any:
        task = stage(**{p.name: value for p, value in zip(taken, values, strict=True)})
        return returned(**{name: task.outputs[name] for name in kinds}) if kinds else None

    returned: Any = NamedTuple("Outputs", list(kinds.items()))  # type: ignore[misc]
    one.__name__ = stage.python_func.__name__
    one.__doc__ = stage.python_func.__doc__
    result = returned if kinds else inspect.Signature.empty
    one.__signature__ = signature.replace(parameters=taken, return_annotation=result)  # type: ignore[attr-defined]
    one.__annotations__ = {p.name: p.annotation for p in taken} | ({"return": returned} if kinds else {})
    made = dsl.pipeline(one, name=stage.name)
    assert isinstance(made, graph_component.GraphComponent)
    return made


def _is_output(annotation: Any) -> bool:
    return type_annotations.is_artifact_wrapped_in_Output(annotation)
