"""Judge a trained groove model's folder and leave the verdict as files.

    figures = judge("prepared", "model", "evaluation", champion="champion/model")

The evaluation folder holds metrics.json, champion.json (the champion's figures on the same data), baselines.json, report.txt
with both in one table, and pictures.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from models.groove.dataset import Corpus, read_corpus
from models.groove.network import GrooveConfig, GrooveVAE
from models.groove.regressor import taught
from models.groove.report import MEAN, SAMPLED, Report, draw, evaluate, table
from models.learning.checkpoint import load_model
from models.learning.evaluation import Heard, write_evaluation
from models.music.files import write_json, write_text


def judge(
    corpus: str | os.PathLike[str],
    model: str | os.PathLike[str],
    out: str | os.PathLike[str],
    champion: str | os.PathLike[str] | None = None,
    regressor_minutes: float = 0.0,
    split: str = "test",
) -> dict[str, float]:
    """Measure a model, and the champion beside it; return the model's figures."""
    performances = read_corpus(corpus)

    def hear(folder: Path) -> Heard:
        network, _ = load_model(folder, "groove", GrooveConfig, GrooveVAE)
        report = measured(network, performances, split, regressor_minutes if folder == Path(model) else 0.0)

        def draw_all(part: Path) -> None:
            write_json(part / "baselines.json", baselines_of(report))
            write_text(part / "report.txt", table(report) + "\n")
            draw(network, performances[split], part)

        return Heard(figures_of(report), draw_all)

    return write_evaluation(out, hear, model, champion)


def measured(network: GrooveVAE, corpus: Corpus, split: str = "test", regressor_minutes: float = 0.0) -> Report:
    """Measure a network, beside a regressor taught for so many minutes."""
    if not regressor_minutes:
        return evaluate(network, corpus, split)
    with tempfile.TemporaryDirectory() as work:
        return evaluate(network, corpus, split, taught(corpus, regressor_minutes, work))


def figures_of(report: Report) -> dict[str, float]:
    """Pick the numbers that a registry keeps: errors of the mean playing, distributions of the sampled one."""
    mean, sampled = report.figures[MEAN], report.figures[SAMPLED]
    errors = ("timing_mae_ms", "timing_mse_16ths", "velocity_mae", "velocity_rmse")
    spread = ("timing_kl", "velocity_kl", "timing_sd_ratio", "velocity_sd_ratio", "same_step_correlation")
    figures = {name: mean[name] for name in errors} | {name: sampled[name] for name in spread}
    return {name: round(value, 6) for name, value in figures.items()} | {"tap_f1": round(report.tap_f1, 6)}


def baselines_of(report: Report) -> dict[str, dict[str, float]]:
    """Pick every other player's figures, by player: the means, and the regressor where it was taught."""
    return {name: report.figures[name] for name in report.gains}
