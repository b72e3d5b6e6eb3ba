"""How good a scorer is on labelled one-shots, and the rules alone: metrics.json, baselines.json and pictures.

    figures = evaluate_scorer(dataset_folder, model_folder, "evaluation")

Only makers the scorer was not taught on are judged, where there are any; otherwise the figures say so (`heard_before` 1).
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from models.drums.roles.calibration import expected_calibration_error
from models.drums.roles.jury import Jury
from models.drums.roles.learned.dataset import PRACTICE, Dataset, read_dataset
from models.drums.roles.learned.scorer import RoleScorer
from models.drums.roles.learned.training import judge_dataset
from models.drums.roles.report import count_confusion, draw_calibration, draw_confusion, draw_scatter, macro_accuracy
from models.drums.roles.types import ROLES
from models.music.files import whole_folder, write_json


def evaluate_scorer(
    dataset_folder: str | os.PathLike[str],
    model_folder: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    champion: str | os.PathLike[str] | None = None,
) -> dict[str, float]:
    """Judge a scorer, and the champion beside it on the same sounds; write the evaluation folder."""
    scorer = RoleScorer.load(model_folder)
    dataset, heard_before = _strangers(read_dataset(dataset_folder), scorer)
    with whole_folder(folder, replace=True) as part:
        figures = {**_judge(dataset, scorer, part), "heard_before": float(heard_before)}
        write_json(part / "metrics.json", figures)
        if champion:
            write_json(part / "champion.json", _judge(dataset, RoleScorer.load(champion), None))
        write_json(part / "baselines.json", {"the rules alone": _judge(dataset, None, None)})
    return figures


def _strangers(dataset: Dataset, scorer: RoleScorer) -> tuple[Dataset, bool]:
    """Keep the makers a scorer was not taught on; all but the practice room's where it knows every one."""
    strange = ~np.isin(dataset.makers, scorer.facts.get("makers", []))
    if strange.any():
        return dataset.only(strange), False
    real = dataset.makers != PRACTICE
    return (dataset.only(real) if real.any() else dataset), True


def _judge(dataset: Dataset, scorer: RoleScorer | None, pictures: Path | None) -> dict[str, float]:
    jury = Jury(learned_calibration=scorer.calibration if scorer else None)
    scores = scorer.score_seen(dataset.pictures[0], dataset.features[0]) if scorer else None
    results = judge_dataset(jury, dataset, scores)
    truth = [ROLES[role] for role in dataset.roles]
    answers = [result.role for result in results]
    right = [answer == true for answer, true in zip(answers, truth, strict=True)]
    confidences = [result.scores.confidence for result in results]
    if pictures:
        draw_confusion(pictures / "confusion.png", truth, answers)
        draw_calibration(pictures / "calibration.png", confidences, right)
        draw_scatter(pictures / "roles.png", results)
    return {
        "macro_accuracy": macro_accuracy(count_confusion(truth, answers)),
        "calibration_error": expected_calibration_error(confidences, right),
        "accuracy": float(np.mean(right)),
        "one_shots": float(len(results)),
    }
