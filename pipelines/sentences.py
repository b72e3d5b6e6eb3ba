"""What a pipeline's flag means where its own docstring says nothing: what the stage says that it is passed to.

sentence(make_drums.pipeline_spec, "fill_prob")     # "How likely the last bar of every four ends in a fill, 0 to 1."
"""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any


def sentence(spec: Any, name: str) -> str:
    """Return the words of the first stage that takes a pipeline's input and describes it; "" where none does."""
    return next(_sentences(spec, spec.root.dag, name), "")


def _sentences(spec: Any, dag: Any, name: str) -> Iterator[str]:
    for task in _in_order(dag.tasks):
        component = spec.components[task.component_ref.name]
        given, defined = task.inputs, component.input_definitions
        for passed, definitions, key in (
            (given.parameters, defined.parameters, "component_input_parameter"),
            (given.artifacts, defined.artifacts, "component_input_artifact"),
        ):
            for taken in sorted(passed):
                if getattr(passed[taken], key) == name:
                    if component.HasField("dag"):  # a condition or a loop hands it on
                        yield from _sentences(spec, component.dag, taken)
                    elif definitions[taken].description:
                        yield " ".join(definitions[taken].description.split())


def _in_order(tasks: Any) -> list[Any]:
    """List tasks as they run: protobuf's maps forget the order."""
    after = {name: sorted(tasks[name].dependent_tasks) for name in sorted(tasks)}
    return [tasks[name] for name in TopologicalSorter(after).static_order()]
