"""From an evaluation to a verdict: the gate stage's one call.

verdict = examine("groove", model_folder, evaluation_folder, budget_ms=0.0, where=where)
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

from backstage.tracking import log_note
from models.music.files import read_json
from serving.families import family
from serving.gate import judge, latency_ms
from serving.registry import CHAMPION, Registry
from serving.where import Where

log = logging.getLogger(__name__)


def examine(
    name: str, model_folder: str | Path, evaluation_folder: str | Path, budget_ms: float, where: Where
) -> Literal["passed", "held back"]:
    """Judge a model by its evaluation against the champion's, on the same data where both were heard on it."""
    kept = family(name)
    heard, beside = Path(evaluation_folder, "metrics.json"), Path(evaluation_folder, "champion.json")
    champion = read_json(beside) if beside.is_file() else _registered(name, where)
    took_ms = latency_ms(name, model_folder)
    verdict = judge(read_json(heard), champion, kept.rules, kept.figures, took_ms, budget_ms or kept.budget_ms)
    for reason in verdict.reasons:
        log.info("%s %s: %s", name, "passed" if verdict.passed else "held back", reason)
        log_note(f"{name}, {'passed' if verdict.passed else 'held back'}: {reason}")
    return "passed" if verdict.passed else "held back"


def _registered(name: str, where: Where) -> dict[str, float] | None:
    registry = Registry.at(where)
    version = registry.alias(name, CHAMPION)
    return None if version is None else registry.metrics(name, version)
