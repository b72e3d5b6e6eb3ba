"""From a margin to an honest confidence, and the measure of its honesty.

calibration = fit_calibration(margins, was_right)        # on sounds the voices were not trained on
calibration.confidence(0.3)                              # probability that the role is right
expected_calibration_error(confidences, was_right)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.music.errors import BadInput

BINS = 10
_NEWTON_STEPS, _PRIOR = 50, 1e-2


@dataclass(frozen=True)
class Calibration:
    """A logistic curve: confidence = 1 / (1 + exp(-(slope * margin + offset)))."""

    slope: float
    """How much surer a role gets as its margin grows."""
    offset: float
    """Log-odds of being right without any margin."""

    def confidence(self, margin: float) -> float:
        return 1 / (1 + math.exp(-(self.slope * margin + self.offset)))


def fit_calibration(margins: ArrayLike, was_right: ArrayLike) -> Calibration:
    """Fit the curve by maximum likelihood (Platt), with a touch of ridge so that clean data stay finite."""
    x, y = np.asarray(margins, float), np.asarray(was_right, float)
    if len(x) != len(y) or len(x) == 0:
        raise BadInput(f"calibration: {len(x)} margins, {len(y)} answers; give the same number of both, at least 1.")
    design = np.stack([x, np.ones_like(x)], axis=1)
    weights = np.zeros(2)
    for _ in range(_NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        gradient = design.T @ (p - y) + _PRIOR * weights
        curvature = (design * (p * (1 - p))[:, None]).T @ design + _PRIOR * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step * min(1.0, 10.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    return Calibration(float(weights[0]), float(weights[1]))


def expected_calibration_error(confidences: ArrayLike, was_right: ArrayLike, bins: int = BINS) -> float:
    """Mean distance of confidence and accuracy over equal bins of confidence, weighted by how many fall in each."""
    _, confidence, accuracy, counts = reliability(confidences, was_right, bins)
    return float(np.sum(counts * np.abs(confidence - accuracy)) / max(counts.sum(), 1))


def reliability(
    confidences: ArrayLike, was_right: ArrayLike, bins: int = BINS
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return lower edges, mean confidence, accuracy and count of every bin that holds something."""
    confidence, right = np.asarray(confidences, float), np.asarray(was_right, float)
    index = np.clip((confidence * bins).astype(int), 0, bins - 1)
    counts = np.bincount(index, minlength=bins)
    held = counts > 0
    sums = [np.bincount(index, weights=values, minlength=bins)[held] for values in (confidence, right)]
    return np.arange(bins)[held] / bins, sums[0] / counts[held], sums[1] / counts[held], counts[held]
