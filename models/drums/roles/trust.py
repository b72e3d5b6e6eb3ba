"""How far the learned scorer and the users' formula are heeded beside each other, role by role, and how sure the verdict is.

    trust = fit_trust(formula, learned, roles, makers)      # shares [n, 5] of sounds that taught neither
    final = trust.weigh(formula, learned)                   # two ScoreVectors become one
    trust.calibration.confidence(final.margin())

The formula is what rules, CLAP and guards say together. Shares are multiplied, each to the power of how far its voice is heeded
for that role; a voice that is surer of itself is heeded more, as far as that was right among strangers. Untaught, the learned
scorer is heeded alone; and so it is where heeding the formula too helped no maker that the powers were not fitted on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from models.drums.roles.calibration import Calibration, fit_calibration
from models.drums.roles.types import ROLES, ScoreVector
from models.music.config import from_mapping

LEAST_SHARE = 1e-4
DOUBTS = (1000.0, 100.0, 10.0)
"""How much evidence it takes to move away from the learned scorer alone."""
WORTH = 0.05
"""What less doubt must gain in macro accuracy on makers left out of the fit: less than that was mostly luck."""
_N = len(ROLES)
_ALONE = np.repeat([0.0, 1.0, 0.0, 0.0], [_N, _N, _N, 2])
NUMBERS = len(_ALONE) + 2


@dataclass(frozen=True)
class Trust:
    """What a learned scorer brings along for the jury."""

    formula: tuple[float, ...] = (0.0,) * _N
    """Power of the users' formula, by role."""
    learned: tuple[float, ...] = (1.0,) * _N
    """Power of the learned scorer, by role."""
    lift: tuple[float, ...] = (0.0,) * _N
    """Added to the logarithm of a role's share."""
    sure_formula: float = 0.0
    """Further power of the formula, times its margin."""
    sure_learned: float = 0.0
    """Further power of the learned scorer, times its margin."""
    calibration: Calibration = field(default_factory=lambda: Calibration(slope=0.0, offset=0.0))
    """From the final margin to the confidence."""

    @classmethod
    def told(cls, facts: Mapping[str, Any]) -> Trust:
        """Read a model folder's facts; an older one tells its calibration alone, and is heeded alone."""
        told = facts["trust"] if "trust" in facts else {"calibration": facts["calibration"]}
        return from_mapping(cls, told, "roles: trust")

    def weigh(self, formula: ScoreVector, learned: ScoreVector) -> ScoreVector:
        """Make one share a role of two."""
        heard = _heard(np.array([formula.values]), np.array([learned.values]))
        return ScoreVector(tuple(_shares(heard @ self._powers())[0]))

    def share_of_learned(self) -> float:
        """How much of all heed the learned scorer has, from 0 to 1."""
        heed = [float(np.abs(powers).mean()) for powers in (self.formula, self.learned)]
        return heed[1] / max(sum(heed), 1e-9)

    def as_array(self) -> NDArray[np.float32]:
        """float32[NUMBERS]: what goes over the wire."""
        return np.array([*self._powers(), *astuple(self.calibration)], np.float32)

    @classmethod
    def from_array(cls, numbers: Sequence[float] | NDArray) -> Trust:
        *powers, sure_formula, sure_learned, slope, offset = map(float, numbers)
        formula, learned, lift = (tuple(powers[n * _N : (n + 1) * _N]) for n in range(3))
        return cls(formula, learned, lift, sure_formula, sure_learned, Calibration(slope, offset))

    def _powers(self) -> NDArray[np.float64]:
        return np.array([*self.formula, *self.learned, *self.lift, self.sure_formula, self.sure_learned])


def fit_trust(formula: ArrayLike, learned: ArrayLike, roles: ArrayLike, makers: ArrayLike) -> Trust:
    """Fit on shares [n, 5], the true roles [n] and who made each sound [n]; every role that occurs counts the same."""
    truth, whose = np.asarray(roles, int), np.asarray(makers)
    heard = _heard(np.asarray(formula, float), np.asarray(learned, float))
    powers, best = _ALONE, _macro(truth, heard @ _ALONE)
    for doubt in DOUBTS:
        logits = np.zeros((len(truth), _N))
        for maker in np.unique(whose):
            left_out = whose == maker
            logits[left_out] = heard[left_out] @ _fit(heard[~left_out], truth[~left_out], doubt)
        if (macro := _macro(truth, logits)) >= best + WORTH:
            powers, best = _fit(heard, truth, doubt), macro
    final = _shares(heard @ powers)
    first, second = np.sort(final, axis=1)[:, :-3:-1].T
    calibration = fit_calibration(first - second, final.argmax(1) == truth)
    return Trust.from_array([*powers, *astuple(calibration)])


def _macro(truth: NDArray, logits: NDArray) -> float:
    right = logits.argmax(1) == truth
    return float(np.mean([right[truth == role].mean() for role in np.unique(truth)]))


def _fit(heard: NDArray, truth: NDArray, doubt: float) -> NDArray[np.float64]:
    """Fit the powers; without any sounds to fit on, the learned scorer's alone."""
    if not len(truth):
        return _ALONE
    counts = np.bincount(truth, minlength=_N)
    weights = (len(truth) / (np.count_nonzero(counts) * counts[truth]))[:, None]
    answers = np.eye(_N)[truth]

    def loss(powers: NDArray) -> tuple[float, NDArray]:
        shares = _shares(heard @ powers)
        away = powers - _ALONE
        missed = weights * (shares - answers)
        surprise = -float(np.sum(weights * answers * np.log(np.maximum(shares, 1e-12))))
        return surprise + doubt * float(away @ away), np.einsum("nr,nrp->p", missed, heard) + 2 * doubt * away

    return minimize(loss, _ALONE, jac=True, method="L-BFGS-B").x


def _heard(formula: NDArray, learned: NDArray) -> NDArray[np.float64]:
    """float64[n, 5, p]: what each power is a factor of."""
    by_role = np.eye(_N)[None]
    logs, margins = [], []
    for shares in (formula, learned):
        logs.append(np.log(np.maximum(shares, LEAST_SHARE)))
        first, second = np.sort(shares, axis=1)[:, :-3:-1].T
        margins.append((first - second)[:, None])
    sure = [(log * margin)[:, :, None] for log, margin in zip(logs, margins, strict=True)]
    powers = [log[:, :, None] * by_role for log in logs]
    return np.concatenate([*powers, np.broadcast_to(by_role, powers[0].shape), *sure], axis=2)


def _shares(logits: NDArray) -> NDArray[np.float64]:
    lifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return lifted / lifted.sum(axis=1, keepdims=True)
