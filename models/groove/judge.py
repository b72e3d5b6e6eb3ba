"""Judge a trained groove model's folder and leave the verdict as files.

    figures = judge("prepared", "model", "evaluation", champion="champion/model")

The evaluation folder holds metrics.json, champion.json (the champion's figures on the same data), baselines.json, report.txt
with both in one table, and pictures.
"""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

from models.groove.dataset import Corpus, read_corpus
from models.groove.evaluate import MEAN, SAMPLED, Report, draw, evaluate, table
from models.groove.network import GrooveConfig, GrooveVAE
from models.groove.regressor import taught
from models.learning.checkpoint import load_model
from models.music.errors import BadInput
from models.music.files import whole_folder, write_json, write_text

log = logging.getLogger(__name__)


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
    network, report = judged(performances, model, split, regressor_minutes)
    with whole_folder(out) as part:
        write_json(part / "metrics.json", figures_of(report))
        write_json(part / "baselines.json", baselines_of(report))
        write_text(part / "report.txt", table(report) + "\n")
        if champion is not None and (report_of := _champions(performances, champion, split)):
            write_json(part / "champion.json", figures_of(report_of))
        draw(network, performances[split], part)
    return figures_of(report)


def judged(
    corpus: Corpus, model: str | os.PathLike[str], split: str = "test", regressor_minutes: float = 0.0
) -> tuple[GrooveVAE, Report]:
    """Load a model and measure it, beside a regressor taught for so many minutes."""
    network, _ = load_model(Path(model), "groove", GrooveConfig, GrooveVAE)
    if not regressor_minutes:
        return network, evaluate(network, corpus, split)
    with tempfile.TemporaryDirectory() as work:
        return network, evaluate(network, corpus, split, taught(corpus, regressor_minutes, work))


def _champions(corpus: Corpus, champion: str | os.PathLike[str], split: str) -> Report | None:
    """Measure the champion, or say that an old one does not fit the network any more: its own figures must do then."""
    try:
        return judged(corpus, champion, split)[1]
    except BadInput as error:
        log.warning("the champion was not heard on this data: %s", error)
        return None


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
