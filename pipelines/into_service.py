"""The end of every training pipeline: register, gate and, when the gate lets it pass, deploy.

    return into_service("groove", model=model, evaluation=judged, where=where)

A plain function: called while a pipeline is traced, it adds its stages there, also under a condition.
"""

from __future__ import annotations

from typing import Any

from kfp import dsl

from components.common import deploy, gate, register


def into_service(name: str, model: Any, evaluation: Any, where: Any, budget_ms: Any = 0.0) -> Any:
    """Add the stages that bring a judged model into service; what comes back is its version."""
    version = register(model=model, evaluation=evaluation, name=name, where=where)
    verdict = gate(model=model, evaluation=evaluation, name=name, budget_ms=budget_ms, where=where)
    with dsl.If(verdict.output == "passed"):
        deploy(name=name, version=version.output, where=where)
    return version.output
