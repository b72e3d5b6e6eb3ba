"""The groove on strangers: taught again without whole sessions or whole drummers, and judged on those beside the means.

    python -m benchmarks.groove_strangers [--out drummers] [--folds 5] [--preset laptop] [--data ../shared]

Every performance of the Groove MIDI Dataset is judged once, by a network that was taught on other people's (or sessions')
and chosen and calibrated on others still; so are the means. What the preset says was chosen on the official split, which
knows nothing of these. A fold takes some five minutes of one core. Errors are means over all hits. Intervals hold 95 % of how much
less the groove errs (above 0 is better): hits weighed alike and performances drawn again; performances weighed alike; and whole
sessions or drummers drawn again, which is what another drummer would find. Bar: all clear of zero.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.recordings import add_data_argument
from models.groove.dataset import Corpus, Played, corpus_of, listen
from models.groove.lesson import read_preset
from models.groove.metrics import BASELINES, bootstrapped, errors_by_performance, hit_f1
from models.groove.network import GrooveVAE
from models.groove.report import ERRORS, MEAN, perform
from models.groove.train import train_groove

Sums = dict[str, NDArray]
"""Hits and errors, one number each for a performance or for whatever was put together."""
LEFT_OUT: dict[str, Callable[[Played], str]] = {
    "sessions": lambda played: played.session,
    "drummers": lambda played: played.session.split("/")[0],
}
FEWEST_FOLDS = 3
"""One is judged, one chooses, the rest teach."""
WEIGHED = ("hits alike", "performances alike", "drawn whole")


class Judged(NamedTuple):
    """What a fold's strangers showed."""

    sums: dict[str, Sums]
    """By player."""
    strangers: list[str]
    """Whose each performance is."""
    tap_f1: float
    windows: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", choices=list(LEFT_OUT), default="drummers", help="what is left out whole")
    parser.add_argument("--folds", type=int, default=5, help="how many networks are taught")
    parser.add_argument("--preset", default="laptop", help="of models/groove/presets.yaml")
    add_data_argument(parser)
    asked = parser.parse_args()
    real: Path = asked.data / "data/groove_midi"
    if not real.is_dir():
        print(f"{real} is not here: no drummers to leave out")
        return 0
    folds = dealt(listen(real)[0], LEFT_OUT[asked.out], asked.folds)
    if len(folds) < FEWEST_FOLDS or not all(folds):
        parser.error(f"--folds is {asked.folds}; give at least {FEWEST_FOLDS}, and no more than there are {asked.out}")
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as schools:
        judged = list(schools.map(partial(judge, folds, asked.out, asked.preset), range(asked.folds)))
    return report(judged, asked.out)


def dealt(played: Sequence[Played], whose: Callable[[Played], str], folds: int) -> list[list[Played]]:
    """Deal whole sessions or drummers out, the one with most performances first, each to the smallest hand."""
    by_stranger: dict[str, list[Played]] = {}
    for each in played:
        by_stranger.setdefault(whose(each), []).append(each)
    hands: list[list[Played]] = [[] for _ in range(folds)]
    for stranger in sorted(by_stranger, key=lambda name: (-len(by_stranger[name]), name)):
        min(hands, key=len).extend(by_stranger[stranger])
    return hands


def judge(folds: Sequence[Sequence[Played]], out: str, preset: str, number: int) -> Judged:
    """Teach on all folds but two, calibrate on the next one, and judge on this."""
    torch.set_num_threads(1)
    chosen = (number + 1) % len(folds)
    rest = [each for other, fold in enumerate(folds) if other not in (number, chosen) for each in fold]
    corpus = corpus_of({"train": rest, "validation": folds[chosen], "test": folds[number]})
    with tempfile.TemporaryDirectory() as work:
        network = train_groove(corpus, read_preset(preset), Path(work, "model"), Path(work, "work")).network
    assert isinstance(network, GrooveVAE)
    cells = corpus.test.cells
    playings = {name: make(corpus.train.cells)(cells) for name, make in BASELINES.items()}
    playings[MEAN] = perform(network, cells, 0.0)
    tap_f1 = hit_f1(cells, perform(network, cells, 0.0, "tap"))
    sums = {name: summed(corpus, played) for name, played in playings.items()}
    print(f"fold {number + 1}: {told(folds[number], out)}", file=sys.stderr)
    return Judged(sums, [LEFT_OUT[out](each) for each in folds[number]], tap_f1, len(cells))


def summed(corpus: Corpus, played: NDArray) -> Sums:
    test = corpus.test
    return errors_by_performance(test.cells, played, test.step_ms, test.performance)


def told(fold: Sequence[Played], out: str) -> str:
    return f"{', '.join(sorted({LEFT_OUT[out](each) for each in fold}))}: {len(fold)} performances"


def report(judged: Sequence[Judged], out: str) -> int:
    """Print all players' errors, and how much less the groove errs; 1 when it is not clear of a mean."""
    strangers = np.array([name for fold in judged for name in fold.strangers])
    sums = {
        player: {key: np.concatenate([fold.sums[player][key] for fold in judged]) for key in ("hits", *ERRORS)}
        for player in judged[0].sums
    }
    tap_f1 = np.average([fold.tap_f1 for fold in judged], weights=[fold.windows for fold in judged])
    print(
        f"{len(set(strangers))} {out}, {len(strangers)} performances, each judged by a network that knows none of the {out}' playing"
    )
    missed = 0
    for error in ERRORS:
        print(
            f"\n{error.replace('_', ' '):28}{'mean':>8}" + "".join(f"{f'groove less by, {way}':>38}" for way in WEIGHED)
        )
        for player, found in sums.items():
            mean = found[error].sum() / found["hits"].sum()
            gains = [] if player == MEAN else gained(sums[MEAN], found, error, strangers)
            missed += sum(low <= 0 for low, _ in gains)
            print(f"{player:28}{mean:8.2f}" + "".join(f"{f'{low:+.2f} to {high:+.2f}':>38}" for low, high in gains))
    print(f"\nhit F1 of a kit from a tap: {tap_f1:.3f}")
    print(
        f"{missed} intervals are not clear of zero" if missed else "every mean is beaten, all intervals clear of zero"
    )
    return int(missed > 0)


def gained(ours: Sums, theirs: Sums, error: str, strangers: NDArray) -> list[tuple[float, float]]:
    """How much less we err, weighed in each way."""
    ways: list[Callable[[Sums], Sums]] = [lambda sums: sums, alike, partial(together, strangers=strangers)]
    return [bootstrapped(way(ours), error, against=way(theirs)) for way in ways]


def alike(sums: Sums) -> Sums:
    """Let every performance count as much, however long it is."""
    return {key: values / np.maximum(sums["hits"], 1) for key, values in sums.items()}


def together(sums: Sums, strangers: NDArray) -> Sums:
    """Put all performances of a session or drummer together."""
    numbers = np.unique(strangers, return_inverse=True)[1]
    return {key: np.bincount(numbers, values) for key, values in sums.items()}


if __name__ == "__main__":
    sys.exit(main())
