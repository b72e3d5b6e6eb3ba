"""How the voices become one: rules and CLAP by alpha, the learned scorer as the third voice, a bias a role.

    scores, weights = Fusion().fuse(p_rule, p_clap, p_learned)      # p_clap and p_learned may be None

p = (1 - learned_weight) * (alpha * p_rule + (1 - alpha) * p_clap) + learned_weight * p_learned, each role's share times
its role_bias, renormalised. A voice that does not speak leaves its weight to the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.drums.roles.calibration import Calibration
from models.drums.roles.types import ROLES, ScoreVector
from models.music.config import nearest
from models.music.errors import BadConfig


@dataclass(frozen=True)
class Fusion:
    """Weights of the voices."""

    alpha: float = 0.9
    """Share of the rules against CLAP."""
    adaptive: bool = False
    """Shift alpha towards the voice with the larger margin."""
    adaptive_strength: float = 0.5
    """Alpha moves by this times the difference of the margins (rules minus CLAP),"""
    adaptive_low: float = 0.6
    """but never below this"""
    adaptive_high: float = 0.98
    """or above this."""
    learned_weight: float = 0.9
    """Share of the learned scorer against rules and CLAP together."""
    learned_bias: dict[str, float] = field(default_factory=lambda: {"FILL": 1.5})
    """The same as role_bias for the learned scorer's shares alone: FILL gets back what fill_conservative will take."""
    scorer: str = "starter"
    """The learned scorer: "starter", a model folder, or "" for none."""
    role_bias: dict[str, float] = field(default_factory=dict)
    """A factor for a role's share; 1 when not named."""
    margin_threshold: float = 0.12
    """A smaller margin is noted as uncertain."""
    rule_calibration: Calibration = field(default_factory=lambda: Calibration(slope=10.0, offset=-0.7))
    """From margin to confidence without the learned scorer, which otherwise brings its own."""

    def __post_init__(self) -> None:
        for name in ("alpha", "adaptive_low", "adaptive_high", "learned_weight"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadConfig(f"fusion: {name} is {getattr(self, name)}; it must be from 0 to 1.")
        for name in ("role_bias", "learned_bias"):
            _check_bias(name, getattr(self, name))

    def fuse(
        self, rule: ScoreVector, clap: ScoreVector | None = None, learned: ScoreVector | None = None
    ) -> tuple[ScoreVector, dict[str, float]]:
        """Return the fused scores and the weight each voice had."""
        alpha = 1.0 if clap is None else self._alpha(rule, clap)
        weight = 0.0 if learned is None else self.learned_weight
        weights = {"rule": (1 - weight) * alpha, "clap": (1 - weight) * (1 - alpha), "learned": weight}
        p = weights["rule"] * np.array(rule.values)
        if clap is not None:
            p = p + weights["clap"] * np.array(clap.values)
        if learned is not None:
            p = p + weights["learned"] * _biased(np.array(learned.values), self.learned_bias)
        return ScoreVector(tuple(_biased(p, self.role_bias))), weights

    def _alpha(self, rule: ScoreVector, clap: ScoreVector) -> float:
        if not self.adaptive:
            return self.alpha
        shifted = self.alpha + self.adaptive_strength * (rule.margin() - clap.margin())
        return float(np.clip(shifted, self.adaptive_low, self.adaptive_high))


def _biased(shares: NDArray[np.float64], bias: Mapping[str, float]) -> NDArray[np.float64]:
    """Multiply each role's share by its factor and renormalise."""
    lifted = shares * np.array([bias.get(role, 1.0) for role in ROLES])
    return lifted / lifted.sum()


def _check_bias(name: str, bias: Mapping[str, float]) -> None:
    for role, factor in bias.items():
        if role not in ROLES:
            raise BadConfig(f"fusion: {name} names {role!r}; {nearest(role, ROLES)}.")
        if factor <= 0:
            raise BadConfig(f"fusion: {name} of {role} is {factor}; it must be above 0 (1 changes nothing).")
