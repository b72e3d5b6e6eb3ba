"""Roles of real one-shots with whole makers held out: the literal rules, the guards, the learned voice, all together.

    python -m benchmarks.roles [--makers muldjord,karoryfer] [--pictures out]

For every maker a scorer is taught on the others (and on the practice room's synthesised sounds) and asked about this
one; recalls are pooled over all makers. Nothing of a held-out maker is seen before: the confidence is calibrated in a
rehearsal among the others. Bars: fused at least 0.85 macro accuracy and above every single voice, ECE below 0.08.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.drums.roles.calibration import expected_calibration_error
from models.drums.roles.fusion import Fusion
from models.drums.roles.guards import GUARDS, Guards
from models.drums.roles.jury import Jury
from models.drums.roles.learned.dataset import PRACTICE, Dataset, find_labelled, prepare_dataset
from models.drums.roles.learned.train import ScorerTraining, judge_dataset, train_scorer
from models.drums.roles.report import count_confusion, draw_calibration, draw_confusion, macro_accuracy
from models.drums.roles.types import ROLES, Role, SampleResult
from models.practice.one_shots import write_one_shots

SHARED = Path(__file__).resolve().parents[2] / "shared"
MACRO_BAR, ECE_BAR = 0.85, 0.08
VARIANTS, PRACTICE_SOUNDS = 6, 40
NO_GUARDS = Guards(**dict.fromkeys(GUARDS, False))
VOICES = {
    "rules alone": (Jury(guards=NO_GUARDS), False),
    "rules + guards": (Jury(), False),
    "learned alone": (Jury(fusion=Fusion(learned_weight=1.0, learned_bias={}), guards=NO_GUARDS), True),
    "fused": (Jury(), True),
}


def prepare(folder: Path) -> Dataset:
    """Hear all real one-shots and some synthesised ones."""
    write_one_shots(folder / PRACTICE, each=PRACTICE_SOUNDS, seed=0)
    shots = find_labelled(SHARED / "data" / "drums") + find_labelled(folder / PRACTICE)
    return prepare_dataset(shots, folder / "dataset", variants=VARIANTS)


def hold_out(dataset: Dataset, maker: str) -> dict[str, list[SampleResult]]:
    """Teach on the others and judge one maker's sounds with every voice."""
    held = dataset.makers == maker
    strangers = dataset.only(held)
    with tempfile.TemporaryDirectory() as folder:
        scorer = train_scorer(dataset.only(~held), ScorerTraining(), folder)
    scores = scorer.score_seen(strangers.pictures[0], strangers.features[0])
    results = {}
    for name, (jury, learned) in VOICES.items():
        calibrated = dataclasses.replace(jury, learned_calibration=scorer.calibration)
        results[name] = judge_dataset(calibrated, strangers, scores if learned else None)
    return results


def show(name: str, results: list[SampleResult], truth: list[Role]) -> tuple[float, float]:
    """Print a voice's row."""
    counts = count_confusion(truth, [result.role for result in results])
    recalls = np.diag(counts) / np.maximum(counts.sum(1), 1)
    right = [result.role == true for result, true in zip(results, truth, strict=True)]
    error = expected_calibration_error([result.scores.confidence for result in results], right)
    macro = macro_accuracy(counts)
    print(f"{name:16}{macro:8.3f}{error:8.3f}   " + "".join(f"{recall:9.2f}" for recall in recalls))
    return macro, error


def show_confusion(counts: NDArray[np.int64]) -> None:
    print(f"\n{'fused: truth down':18}" + "".join(f"{role:>9}" for role in ROLES))
    for role, row in zip(ROLES, counts, strict=True):
        print(f"{role:18}" + "".join(f"{count:9d}" for count in row))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--makers", help="only these, separated by commas; all of them otherwise")
    parser.add_argument("--pictures", type=Path, help="folder for the confusion and the calibration")
    asked = parser.parse_args()
    if not (SHARED / "data" / "drums").is_dir():
        print(f"{SHARED}/data/drums is not here: nothing to measure on.")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        dataset = prepare(Path(folder))
    known = sorted(set(dataset.makers.tolist()) - {PRACTICE})
    makers = asked.makers.split(",") if asked.makers else known
    results: dict[str, list[SampleResult]] = {name: [] for name in VOICES}
    truth: list[Role] = []
    for maker in makers:
        began = time.process_time()
        for name, found in hold_out(dataset, maker).items():
            results[name] += found
        truth += [ROLES[role] for role in dataset.roles[dataset.makers == maker]]
        right = sum(r.role == t for r, t in zip(results["fused"], truth, strict=True)) / len(truth)
        seconds = time.process_time() - began
        print(f"  held out {maker:24}{len(truth):5} so far, fused {right:.3f}, {seconds:.0f} s CPU", flush=True)
    print(
        f"\n{len(truth)} one-shots, {len(makers)} makers\n{'voice':16}{'macro':>8}{'ECE':>8}   "
        + "".join(f"{r:>9}" for r in ROLES)
    )
    figures = {name: show(name, found, truth) for name, found in results.items()}
    answers = [result.role for result in results["fused"]]
    show_confusion(count_confusion(truth, answers))
    if asked.pictures:
        right = [answer == true for answer, true in zip(answers, truth, strict=True)]
        draw_confusion(asked.pictures / "confusion.png", truth, answers)
        draw_calibration(asked.pictures / "calibration.png", [r.scores.confidence for r in results["fused"]], right)
    macro, error = figures["fused"]
    best_alone = max(figure for name, (figure, _) in figures.items() if name != "fused")
    print(f"\nfused {macro:.3f} (bar {MACRO_BAR}), best alone {best_alone:.3f}, ECE {error:.3f} (bar {ECE_BAR})")
    return int(macro < MACRO_BAR or macro <= best_alone or error >= ECE_BAR)


if __name__ == "__main__":
    sys.exit(main())
