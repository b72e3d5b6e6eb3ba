"""The gate before the stage door: is a new model good enough to be served?

verdict = judge(challenger, champion, kept.rules, kept.figures, latency_ms=41.0, budget_ms=400.0)    # kept = family("groove")
verdict.require()          # GateFailed with every reason, or nothing
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from models.music.errors import GateFailed
from models.music.figures import Figure, figure, spoken
from serving.asker import whole
from serving.contract import Arrays
from serving.families import Rule, family
from serving.in_process import InProcess


@dataclass(frozen=True)
class Verdict:
    """What the gate says, and why, one sentence a finding."""

    passed: bool
    reasons: tuple[str, ...]

    def require(self) -> None:
        if not self.passed:
            raise GateFailed("not promoted: " + " ".join(self.reasons))


def judge(
    challenger: Mapping[str, float],
    champion: Mapping[str, float] | None,
    rules: Sequence[Rule],
    figures: Mapping[str, Figure],
    latency_ms: float | None = None,
    budget_ms: float | None = None,
) -> Verdict:
    """Let a challenger through when its figures are finite, none is beyond tolerance, and it answers in time."""
    known = partial(figure, figures)
    bad = [f"{known(key).name} is {value}." for key, value in challenger.items() if not math.isfinite(value)]
    for rule in rules:
        bad += _findings(rule, known(rule.metric), challenger, champion or {})
    if latency_ms is not None and budget_ms is not None and not latency_ms <= budget_ms:
        bad.append(f"it answers in {latency_ms:.0f} ms; {budget_ms:.0f} ms are allowed.")
    if bad:
        return Verdict(False, tuple(bad))
    compared = [known(r.metric).name for r in rules if champion and r.metric in champion]
    return Verdict(
        True,
        (f"not worse than the champion in {', '.join(compared)}." if compared else "no champion to compare with.",),
    )


def latency_ms(name: str, folder: str | Path, request: Arrays | None = None, times: int = 20) -> float:
    """The 95th percentile of a model's answers in this process, after warming up."""
    contract, asker = family(name).contract, InProcess(folder)
    request = contract.canary_request() if request is None else request
    whole(asker, contract, request)
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        whole(asker, contract, request)
        taken.append((time.perf_counter() - began) * 1000)
    return sorted(taken)[math.ceil(0.95 * times) - 1]


def _findings(rule: Rule, heard: Figure, challenger: Mapping[str, float], champion: Mapping[str, float]) -> list[str]:
    if rule.metric not in challenger:
        return [f"{heard.name} was not measured."]
    value = challenger[rule.metric]
    findings = []
    if rule.limit is not None and heard.worse_by(value, rule.limit) > 0:
        findings.append(f"{heard.told(value)}; the bar is {spoken(rule.limit)} ({heard.direction}).")
    if rule.metric in champion:
        was = champion[rule.metric]
        if heard.worse_by(value, was) > rule.tolerance * abs(was):
            findings.append(
                f"{heard.told(value)}; the champion's is {spoken(was)} "
                f"({heard.direction}, {rule.tolerance:.0%} allowed)."
            )
    return findings
