"""The gate before the stage door: is a new model good enough to be served?

verdict = judge(challenger, champion, [Rule("timing_mae_ms"), Rule("hit_f1", better="higher")], latency_ms=41.0, budget_ms=400.0)
verdict.require()          # GateFailed with every reason, or nothing
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.music.errors import GateFailed
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
    latency_ms: float | None = None,
    budget_ms: float | None = None,
) -> Verdict:
    """Let a challenger through when its figures are finite, none is beyond tolerance, and it answers in time."""
    bad = [f"{name} is {value}." for name, value in challenger.items() if not math.isfinite(value)]
    for rule in rules:
        bad += _findings(rule, challenger, champion or {})
    if latency_ms is not None and budget_ms is not None and not latency_ms <= budget_ms:
        bad.append(f"it answers in {latency_ms:.0f} ms; {budget_ms:.0f} ms are allowed.")
    if bad:
        return Verdict(False, tuple(bad))
    compared = [r.metric for r in rules if champion and r.metric in champion]
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


def _findings(rule: Rule, challenger: Mapping[str, float], champion: Mapping[str, float]) -> list[str]:
    if rule.metric not in challenger:
        return [f"{rule.metric} was not measured."]
    value, sign = challenger[rule.metric], 1.0 if rule.better == "lower" else -1.0
    findings = []
    if rule.limit is not None and sign * (value - rule.limit) > 0:
        findings.append(f"{rule.metric} is {value:.4g}; the bar is {rule.limit:.4g} ({rule.better} is better).")
    if rule.metric in champion:
        was = champion[rule.metric]
        if sign * (value - was) > rule.tolerance * abs(was):
            findings.append(
                f"{rule.metric} is {value:.4g}, the champion's {was:.4g} ({rule.better} is better, {rule.tolerance:.0%} allowed)."
            )
    return findings
