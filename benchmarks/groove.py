"""The groove model beside its baselines, and how fast it answers.

    python -m benchmarks.groove [--minutes 7] [--data ../shared]

Reads the Groove MIDI Dataset in the folder's data/groove_midi where it is, practice drummers elsewhere; teaches the
regressor for the minutes said, in this run; judges the starter model on the sessions that were held out of its training.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.recordings import add_data_argument
from models.groove.dataset import Corpus, prepare
from models.groove.encoding import GM
from models.groove.humaniser import STARTER, Humaniser
from models.groove.metrics import BASELINES
from models.groove.network import PUBLISHED, GrooveVAE
from models.groove.regressor import taught
from models.groove.report import MEAN, REGRESSOR, SAMPLED, Report, evaluate, table
from models.groove.request import GrooveRequest
from models.practice.grooves import write_grooves


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, default=7.0, help="of teaching the regressor")
    parser.add_argument("--model", type=Path, default=STARTER, help="trained groove model")
    add_data_argument(parser)
    minutes, model, data = vars(parser.parse_args()).values()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        corpus = gathered(data / "data/groove_midi", Path(name))
        humaniser = Humaniser.load(model)
        print(f"teaching the regressor for {minutes:g} minutes", file=sys.stderr)
        regressor = taught(corpus, minutes, Path(name, "regressor"))
        report = evaluate(Humaniser.load(model).network.float(), corpus, "test", regressor)
    print(table(report), end="\n\n")
    print_ratios(report)
    print_speed(humaniser)
    return 0 if report.beats_the_means() else 1


def gathered(real: Path, work: Path) -> Corpus:
    if real.is_dir():
        return prepare(real, work / "prepared")
    print(f"{real} is not here: practice drummers instead, the figures say nothing", file=sys.stderr)
    return prepare(write_grooves(work / "practice", performances=60), work / "prepared")


def print_ratios(report: Report) -> None:
    """Print ours over theirs, below 1 being better."""
    ours, sampled = report.figures[MEAN], report.figures[SAMPLED]
    print(f"{'ours / theirs':28}{'timing MAE':>12}{'velocity MAE':>14}{'timing KL':>11}{'velocity KL':>13}")
    for name in [*BASELINES, REGRESSOR]:
        theirs = report.figures[name]
        errors = [ours[key] / theirs[key] for key in ("timing_mae_ms", "velocity_mae")]
        spreads = [sampled[key] / theirs[key] for key in ("timing_kl", "velocity_kl")]
        print(f"{name:28}{errors[0]:12.3f}{errors[1]:14.3f}{spreads[0]:11.3f}{spreads[1]:13.3f}")
    print(f"beats every mean baseline with both intervals clear of 0: {report.beats_the_means()}\n")


def print_speed(humaniser: Humaniser) -> None:
    """Print what a two-bar request takes on one thread, beside the published network walked step by step."""
    beat = np.array([(GM[d][0], 80, s * 240, 100) for s in range(0, 32, 2) for d in (0, 1, 2)], np.int32)
    published = Humaniser(GrooveVAE(PUBLISHED))
    slow = p50_ms(lambda: published.play([GrooveRequest(beat, 2)]), 10)
    print(f"{'two bars, one thread':36}{'p50 ms':>8}{'over the published network':>30}")
    for name, mode, count in (
        ("humanise", "humanise", 1),
        ("humanise, batch of 32", "humanise", 32),
        ("vary", "vary", 1),
        ("tap", "tap", 1),
    ):
        asked = [GrooveRequest(beat, 2, mode, 0.7, seed) for seed in range(count)]  # type: ignore[arg-type]
        took = p50_ms(lambda asked=asked: humaniser.play(asked), 40)
        print(f"{name:36}{took:8.2f}{took / slow / count:24.3f} each")
    print(f"{'published, humanise':36}{slow:8.2f}{1:24.3f}")


def p50_ms(play, times: int) -> float:
    play()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        play()
        taken.append((time.perf_counter() - began) * 1000)
    return float(np.median(taken))


if __name__ == "__main__":
    raise SystemExit(main())
