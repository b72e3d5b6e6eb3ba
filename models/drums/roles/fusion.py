"""How the voices become one: rules and CLAP by alpha, then the learned scorer beside them, a bias a role.

    formula, alpha = Fusion().fuse(p_rule, p_clap)                  # p_clap may be None
    final, share = Fusion().join(formula, p_learned, trust)         # after the guards have corrected the formula

The users' formula is p = alpha * p_rule + (1 - alpha) * p_clap, each role's share times its role_bias, renormalised. The learned
scorer is weighed against it as it was found right among strangers (trust.py), or by a fixed share, learned_weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.drums.roles.calibration import Calibration
from models.drums.roles.trust import Trust
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
    learned_weight: float | None = None
    """Fixed share of the learned scorer against the formula, 0 to 1; null heeds both by role, as was right among strangers."""
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
            if not 0 <= (getattr(self, name) or 0) <= 1:
                raise BadConfig(f"fusion: {name} is {getattr(self, name)}; it must be from 0 to 1.")
        _check_bias(self.role_bias)

    def fuse(self, rule: ScoreVector, clap: ScoreVector | None = None) -> tuple[ScoreVector, float]:
        """Return the users' formula and the share that the rules had in it."""
        if clap is None:
            return _biased(np.array(rule.values), self.role_bias), 1.0
        alpha = self._alpha(rule, clap)
        return _biased(alpha * np.array(rule.values) + (1 - alpha) * np.array(clap.values), self.role_bias), alpha

    def join(self, formula: ScoreVector, learned: ScoreVector, trust: Trust) -> tuple[ScoreVector, float]:
        """Return the final scores and the share that the learned scorer had in them."""
        learned = _biased(np.array(learned.values), self.role_bias)
        if self.learned_weight is None:
            return trust.weigh(formula, learned), trust.share_of_learned()
        share = self.learned_weight
        mixed = (1 - share) * np.array(formula.values) + share * np.array(learned.values)
        return ScoreVector(tuple(mixed)), share

    def _alpha(self, rule: ScoreVector, clap: ScoreVector) -> float:
        if not self.adaptive:
            return self.alpha
        shifted = self.alpha + self.adaptive_strength * (rule.margin() - clap.margin())
        return float(np.clip(shifted, self.adaptive_low, self.adaptive_high))


def _biased(shares: NDArray[np.float64], bias: Mapping[str, float]) -> ScoreVector:
    """Multiply each role's share by its factor and renormalise."""
    lifted = shares * np.array([bias.get(role, 1.0) for role in ROLES])
    return ScoreVector(tuple(lifted / lifted.sum()))


def _check_bias(bias: Mapping[str, float]) -> None:
    for role, factor in bias.items():
        if role not in ROLES:
            raise BadConfig(f"fusion: role_bias names {role!r}; {nearest(role, ROLES)}.")
        if factor <= 0:
            raise BadConfig(f"fusion: role_bias of {role} is {factor}; it must be above 0 (1 changes nothing).")
