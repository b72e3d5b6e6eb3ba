"""Pictures of what the role system did: the confusion of roles, the samples' map, the honesty of its confidence.

draw_confusion("confusion.png", truth, answers)
draw_scatter("roles.png", results)
draw_calibration("calibration.png", confidences, was_right)
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.drums.roles.calibration import expected_calibration_error, reliability
from models.drums.roles.types import ROLES, Role, SampleResult
from models.music.plots import COLOURS, INK, confusion, picture


def count_confusion(truth: Sequence[Role], answers: Sequence[Role]) -> NDArray[np.int64]:
    """int64[5, 5]: truth down, answer across."""
    counts = np.zeros((len(ROLES), len(ROLES)), np.int64)
    for true, answer in zip(truth, answers, strict=True):
        counts[ROLES.index(true), ROLES.index(answer)] += 1
    return counts


def macro_accuracy(counts: ArrayLike) -> float:
    """Mean recall of the roles that occur."""
    table = np.asarray(counts, float)
    occurs = table.sum(1) > 0
    return float((np.diag(table)[occurs] / table.sum(1)[occurs]).mean())


def draw_confusion(path: str | os.PathLike[str], truth: Sequence[Role], answers: Sequence[Role]) -> None:
    counts = count_confusion(truth, answers)
    confusion(path, counts, list(ROLES), title=f"Roles: macro accuracy {macro_accuracy(counts):.3f}")


def draw_scatter(path: str | os.PathLike[str], results: Sequence[SampleResult]) -> None:
    """Place every sample by brightness and length, coloured by role; the surer, the larger."""
    with picture(path, title="Roles", x="brightness (centroid, kHz)", y="decay (s)", inches=(7.0, 4.6)) as axes:
        for role, colour in zip(ROLES, COLOURS, strict=False):
            chosen = [result for result in results if result.role == role]
            if chosen:
                bright = [8.0 * result.features.centroid for result in chosen]
                long = [0.6 * result.features.decay for result in chosen]
                sizes = [8 + 50 * result.scores.confidence for result in chosen]
                axes.scatter(bright, long, sizes, colour, alpha=0.75, linewidths=0, label=f"{role} ({len(chosen)})")
        axes.legend()


def draw_calibration(path: str | os.PathLike[str], confidences: ArrayLike, was_right: ArrayLike) -> None:
    """Draw accuracy over confidence; on the diagonal the confidence is honest."""
    _, confidence, accuracy, counts = reliability(confidences, was_right)
    error = expected_calibration_error(confidences, was_right)
    title = f"Confidence: expected calibration error {error:.3f}"
    with picture(path, title=title, x="confidence", y="share that is right", inches=(4.8, 4.4)) as axes:
        axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle="--")
        axes.plot(confidence, accuracy, color=COLOURS[0])
        axes.scatter(confidence, accuracy, 10 + 200 * counts / counts.sum(), COLOURS[0])
        axes.set(xlim=(0, 1), ylim=(0, 1.02))
