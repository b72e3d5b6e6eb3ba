"""How good a scorer is on labelled one-shots, and the rules alone: metrics.json, baselines.json and pictures.

    figures = judge("prepared", "model", "evaluation", champion="champion/model")

Only makers that taught neither the scorer nor the champion are judged, where there are any; otherwise the figures say so (`heard_before` 1).
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np

from models.drums.roles.calibration import expected_calibration_error
from models.drums.roles.jury import Jury
from models.drums.roles.learned.dataset import PRACTICE, Dataset, read_dataset
from models.drums.roles.learned.scorer import RoleScorer
from models.drums.roles.learned.train import judge_dataset
from models.drums.roles.report import count_confusion, draw_calibration, draw_confusion, draw_scatter, macro_accuracy
from models.drums.roles.types import ROLES, SampleResult
from models.learning.evaluation import Heard, write_evaluation
from models.music.errors import JamflowError
from models.music.files import read_json, write_json

log = logging.getLogger(__name__)


def judge(
    corpus: str | os.PathLike[str],
    model: str | os.PathLike[str],
    out: str | os.PathLike[str],
    champion: str | os.PathLike[str] | None = None,
) -> dict[str, float]:
    """Judge a scorer, and the champion beside it on the same sounds, strangers to both; write the evaluation folder."""
    whole = read_dataset(corpus)
    known = _makers_of(Path(model))
    with_champion = known | _makers_of(Path(champion)) if champion else known
    if champion and not (~np.isin(whole.makers, sorted(with_champion))).any():
        log.warning("the champion was not heard: every maker of this data taught it or its challenger")
        champion, with_champion = None, known
    dataset, heard_before = _strangers(whole, with_champion)

    def hear(folder: Path) -> Heard:
        figures, results = _judge(dataset, RoleScorer.load(folder))
        figures["heard_before"] = float(heard_before)

        def draw(part: Path) -> None:
            truth, answers = [ROLES[role] for role in dataset.roles], [result.role for result in results]
            draw_confusion(part / "confusion.png", truth, answers)
            right = [answer == true for answer, true in zip(answers, truth, strict=True)]
            draw_calibration(part / "calibration.png", [result.scores.confidence for result in results], right)
            draw_scatter(part / "roles.png", results)
            write_json(part / "baselines.json", {"the rules alone": _judge(dataset, None)[0]})

        return Heard(figures, draw)

    return write_evaluation(out, hear, model, champion)


def _makers_of(folder: Path) -> set[str]:
    """The makers that taught a scorer; a folder that tells nothing was taught by nobody we know."""
    try:
        return set(read_json(folder / "config.json")["facts"]["makers"])
    except (JamflowError, KeyError, TypeError):
        return set()


def _strangers(dataset: Dataset, known: set[str]) -> tuple[Dataset, bool]:
    """Keep the makers that taught nobody who is judged; all but the practice room's where every one did."""
    strange = ~np.isin(dataset.makers, sorted(known))
    if strange.any():
        return dataset.only(strange), False
    real = dataset.makers != PRACTICE
    return (dataset.only(real) if real.any() else dataset), True


def _judge(dataset: Dataset, scorer: RoleScorer | None) -> tuple[dict[str, float], list[SampleResult]]:
    jury = Jury(trust=scorer.trust) if scorer else Jury()
    scores = scorer.score_seen(dataset.pictures[0], dataset.features[0]) if scorer else None
    results = judge_dataset(jury, dataset, scores)
    truth, answers = [ROLES[role] for role in dataset.roles], [result.role for result in results]
    right = [answer == true for answer, true in zip(answers, truth, strict=True)]
    figures = {
        "macro_accuracy": macro_accuracy(count_confusion(truth, answers)),
        "calibration_error": expected_calibration_error([result.scores.confidence for result in results], right),
        "accuracy": float(np.mean(right)),
        "one_shots": float(len(results)),
    }
    return figures, results
