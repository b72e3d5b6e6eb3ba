"""From an evaluation to a verdict: the gate stage's one call.

verdict = examine("groove", model_folder, evaluation_folder, [{"metric": "timing_mae_ms"}], budget_ms=400.0, tracking_uri=uri)
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from backstage.tracking import log_sentence
from models.music.config import from_mapping
from models.music.files import read_json
from serving.gate import Rule, judge, latency_ms
from serving.registry import CHAMPION, Registry

log = logging.getLogger(__name__)


def examine(
    name: str,
    model_folder: str | Path,
    evaluation_folder: str | Path,
    rules: Sequence[Mapping[str, Any]],
    budget_ms: float,
    tracking_uri: str,
) -> Literal["passed", "held back"]:
    """Judge a model by its evaluation against the champion's, on the same data where both were heard on it."""
    heard, beside = Path(evaluation_folder, "metrics.json"), Path(evaluation_folder, "champion.json")
    champion = read_json(beside) if beside.is_file() else _registered(name, tracking_uri)
    took_ms = latency_ms(name, model_folder) if budget_ms else None
    bars = [from_mapping(Rule, rule, f"rules of {name}") for rule in rules]
    verdict = judge(read_json(heard), champion, bars, took_ms, budget_ms or None)
    for reason in verdict.reasons:
        log.info("%s %s: %s", name, "passed" if verdict.passed else "held back", reason)
        log_sentence(reason[:1].upper() + reason[1:])
    return "passed" if verdict.passed else "held back"


def _registered(name: str, tracking_uri: str) -> dict[str, float] | None:
    registry = Registry(tracking_uri)
    version = registry.alias(name, CHAMPION)
    return None if version is None else registry.metrics(name, version)
