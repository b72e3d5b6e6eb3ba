"""From results to pools: who plays which role, nobody missing, nobody crowded.

pools = build_pools(results)                    # RolePools; pools.as_dict() is the content of pools_N.json
changed = pools[Role.CORE][0].debug.get("pool")    # why a sample stands where it does
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from models.drums.roles.types import ROLES, Role, RolePools, SampleResult
from models.music.errors import BadConfig

REQUIRED = (Role.CORE, Role.ACCENT, Role.MOTION)
Pools = dict[Role, list[SampleResult]]


@dataclass(frozen=True)
class PoolConfig:
    """How many samples a pool holds and who may be promoted into an empty one."""

    core_max: int = 4
    """Most samples in CORE."""
    accent_max: int = 4
    """Most samples in ACCENT."""
    motion_max: int = 10
    """Most samples in MOTION."""
    rebalance_margin: float = 0.08
    """In a crowded pool, samples with a smaller margin move to their second role."""
    core_min_low: float = 0.15
    """Promotion to CORE needs this share of the low band."""
    accent_min_sharpness: float = 0.35
    """Promotion to ACCENT needs this sharpness."""
    motion_min_high: float = 0.15
    """Promotion to MOTION needs this share of the high band."""

    def __post_init__(self) -> None:
        for name in ("core_max", "accent_max", "motion_max"):
            if getattr(self, name) < 1:
                raise BadConfig(f"pool: {name} is {getattr(self, name)}; a required pool holds at least 1.")

    def maximum(self, role: Role) -> int | None:
        return {Role.CORE: self.core_max, Role.ACCENT: self.accent_max, Role.MOTION: self.motion_max}.get(role)

    def may_be_promoted(self, sample: SampleResult, role: Role) -> bool:
        """Whether a sample meets a required role's condition."""
        conditions: dict[Role, Callable[[], bool]] = {
            Role.CORE: lambda: sample.features.low_ratio >= self.core_min_low,
            Role.ACCENT: lambda: sample.features.sharpness >= self.accent_min_sharpness,
            Role.MOTION: lambda: sample.features.high_ratio >= self.motion_min_high,
        }
        return conditions[role]()


def build_pools(results: Iterable[SampleResult], config: PoolConfig | None = None) -> RolePools:
    """Sort samples into pools: by role, then rebalance crowded pools, fill empty required ones, keep the surest."""
    config = config or PoolConfig()
    pools: Pools = {role: [] for role in ROLES}
    for sample in results:
        pools[sample.role].append(sample)
    for role in ROLES:
        _rebalance(pools, role, config)
    for role in REQUIRED:
        if not pools[role]:
            _promote(pools, role, config)
    return RolePools({role: tuple(_surest_first(pools[role])[: config.maximum(role)]) for role in ROLES})


def _rebalance(pools: Pools, role: Role, config: PoolConfig) -> None:
    """Move the least sure samples of a crowded pool to their second role, as far as they are unsure enough."""
    maximum = config.maximum(role)
    if maximum is None:
        return
    for sample in reversed(_surest_first(pools[role])):
        if len(pools[role]) <= maximum:
            return
        if sample.scores.final.margin() < config.rebalance_margin and "pool" not in sample.debug:
            second = next(other for other, _ in sample.scores.final.sorted() if other != role)
            _move(pools, sample, role, second, "rebalanced")


def _promote(pools: Pools, role: Role, config: PoolConfig) -> None:
    """Give an empty required pool its likeliest candidate that meets the role's condition; never a pool's last one."""
    candidates = [
        (sample.scores.final[role], sample, source)
        for source, members in pools.items()
        for sample in members
        if not (source in REQUIRED and len(members) == 1) and config.may_be_promoted(sample, role)
    ]
    if candidates:
        _, sample, source = max(candidates, key=lambda candidate: candidate[0])
        _move(pools, sample, source, role, "promoted")


def _move(pools: Pools, sample: SampleResult, source: Role, target: Role, why: str) -> None:
    """Let a sample change its pool; its confidence is then what the voices gave that role."""
    scores = dataclasses.replace(sample.scores, confidence=sample.scores.final[target])
    debug = {**sample.debug, "pool": f"{why} from {source.value}"}
    pools[source].remove(sample)
    pools[target].append(dataclasses.replace(sample, role=target, scores=scores, debug=debug))


def _surest_first(samples: list[SampleResult]) -> list[SampleResult]:
    return sorted(samples, key=lambda sample: (-sample.scores.confidence, sample.sample_id))
