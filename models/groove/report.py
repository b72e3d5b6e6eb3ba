"""Judge a groove model beside its baselines.  Run: python -m benchmarks.groove

    report = evaluate(network, corpus, "test", regressor=taught(corpus, minutes=7, folder="regressor"))
    print(table(report))
    draw(report, network, corpus, "pictures")

Two playings of the same hits: z at its mean and the middle of each spread, for the errors; drawn at temperature 1, for
the distributions. Intervals come from drawing the performances again, not the windows: windows of one drummer agree.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from models.groove.cues import Mode, controls_for
from models.groove.dataset import Corpus, Windows
from models.groove.encoding import HITS, N_DRUMS, OFFSETS, humanised, tapped
from models.groove.heads import Chance
from models.groove.metrics import BASELINES, Cells, Player, bootstrapped, errors_by_performance, hit_f1, measure
from models.groove.network import GrooveVAE
from models.groove.playing import Dice
from models.music.plots import picture

MEAN, SAMPLED, REGRESSOR = "groove, z = mean", "groove, sampled", "BiLSTM regressor"
ERRORS = ("timing_mae_ms", "velocity_mae")
BATCH = 512


@dataclass(frozen=True)
class Report:
    """What was measured on one split."""

    split: str
    performances: int
    windows: int
    figures: dict[str, dict[str, float]]
    """By player, then by figure."""
    intervals: dict[str, dict[str, tuple[float, float]]]
    """95 % of each player's mean errors, performances drawn again."""
    gains: dict[str, dict[str, tuple[float, float]]]
    """95 % of how much less the groove model (z = mean) errs than each other player; above 0 is better."""
    tap_f1: float = 0.0
    """Hit F1 of the whole kit from a tap, at temperature 0. Humanising keeps every hit: 1 by construction."""
    facts: dict = field(default_factory=dict)

    def beats_the_means(self) -> bool:
        """Whether both errors are below every mean baseline's on the same performances, with intervals clear of 0."""
        return all(self.gains[name][error][0] > 0 for name in BASELINES for error in ERRORS)


def perform(network: GrooveVAE, cells: Cells, temperature: float, mode: Mode = "humanise", seed: int = 0) -> Cells:
    """Play windows [n, 32, 27] from their hits (mode "tap": from their rhythm alone)."""
    config, played = network.config, []
    for begin in range(0, len(cells), BATCH):
        part = cells[begin : begin + BATCH]
        told = _floats(controls_for(config.controls, mode, part))
        dice = [Dice.thrown(seed + begin + i, part.shape[1], config.latent, config.together) for i in range(len(part))]
        with torch.inference_mode():
            z = _floats(np.stack([d.character for d in dice])) * temperature
            if config.controls == "none":
                mu, sigma = network.encode(_floats(humanised(part) if mode == "humanise" else tapped(part)), told)
                z = mu + sigma * z
            chance = Chance(
                _floats(np.stack([d.strikes for d in dice])),
                _floats(np.stack([d.velocities for d in dice])),
                _floats(np.stack([d.offsets for d in dice])),
                torch.full((len(part), 1, 1), temperature),
            )
            hits = _floats(part[..., HITS]) if mode == "humanise" else None
            every = _floats(part[..., HITS].max(-1, keepdims=True)) if mode == "tap" else None
            played.append(network.play(z, told, chance, hits=hits, every=every).numpy())
    return np.concatenate(played)


def evaluate(
    network: GrooveVAE, corpus: Corpus, split: str = "test", regressor: Player | None = None, seed: int = 0
) -> Report:
    """Measure the model and every baseline on a split; means come from the training split."""
    windows: Windows = corpus[split]
    true, step_ms, performance = windows.cells, windows.step_ms, windows.performance
    playings = {name: make(corpus.train.cells)(true) for name, make in BASELINES.items()}
    if regressor is not None:
        playings[REGRESSOR] = regressor(true)
    playings[MEAN] = perform(network, true, 0.0, seed=seed)
    playings[SAMPLED] = perform(network, true, 1.0, seed=seed)
    sums = {name: errors_by_performance(true, cells, step_ms, performance) for name, cells in playings.items()}
    return Report(
        split=split,
        performances=len(windows.names),
        windows=len(windows),
        figures={"the drummers": measure(true, true, step_ms)}
        | {name: measure(true, cells, step_ms) for name, cells in playings.items()},
        intervals={name: {error: bootstrapped(found, error) for error in ERRORS} for name, found in sums.items()},
        gains={
            name: {error: bootstrapped(sums[MEAN], error, against=found) for error in ERRORS}
            for name, found in sums.items()
            if name not in (MEAN, SAMPLED)
        },
        tap_f1=0.0 if network.config.controls == "hits" else hit_f1(true, perform(network, true, 0.0, "tap", seed)),
    )


def table(report: Report) -> str:
    """Write the report as text, a player a line."""
    names = list(next(iter(report.figures.values())))
    head = f"{'':24}" + "".join(f"{name.replace('_', ' '):>{max(9, len(name) + 2)}}" for name in names)
    lines = [f"{report.split}: {report.performances} performances, {report.windows} windows", head]
    for player, figures in report.figures.items():
        lines.append(f"{player:24}" + "".join(f"{figures[n]:{max(9, len(n) + 2)}.4f}" for n in names))
    for error in ERRORS:
        low, high = report.intervals[MEAN][error]
        lines.append(
            f"{error.replace('_', ' ')}, z = mean: 95 % of performances drawn again {low:.2f} to {high:.2f}; less than"
        )
        lines += [f"    {name:24}by {g[error][0]:+.2f} to {g[error][1]:+.2f}" for name, g in report.gains.items()]
    lines.append(f"hit F1: humanise 1 by construction, tap {report.tap_f1:.3f}")
    return "\n".join(lines)


def draw(network: GrooveVAE, windows: Windows, folder: str | os.PathLike[str], seed: int = 0) -> list[Path]:
    """Draw the piano roll of one performance, as written, as played and as its drummer did, and everybody's timing."""
    folder = Path(folder)
    hits = (windows.cells[..., HITS] > 0.5).sum((1, 2))
    chosen = windows.cells[[int(np.argsort(hits)[len(hits) * 3 // 4])]]
    roll, histogram = folder / "piano_roll.png", folder / "timing.png"
    piano_roll(roll, humanised(chosen)[0], perform(network, chosen, 1.0, seed=seed)[0], chosen[0])
    some = windows.cells[:: max(1, len(windows) // 1000)]
    timing_histogram(histogram, some, {"z = mean": perform(network, some, 0.0), "sampled": perform(network, some, 1.0)})
    return [roll, histogram]


def piano_roll(path: Path, written: Cells, played: Cells, reference: Cells) -> None:
    """Draw three windows [t, 27] under each other; darker is louder, and each hit sits where it was struck."""
    drums = ("kick", "snare", "closed hat", "open hat", "low tom", "mid tom", "high tom", "crash", "ride")
    with picture(path, title="The same hits", rows=3, inches=(9, 7)) as axes:
        for axis, (name, cells) in zip(
            axes,
            {"as written": written, "as the model plays": played, "as the drummer did": reference}.items(),
            strict=True,
        ):
            step, drum = np.nonzero(cells[:, HITS] > 0.5)
            loud = cells[step, N_DRUMS + drum] if name != "as written" else np.full(len(step), 0.6)
            axis.scatter(
                step - cells[step, OFFSETS.start + drum] / 2, drum, c=loud, cmap="Blues", vmin=-0.3, vmax=1, marker="s"
            )
            axis.set(
                yticks=range(N_DRUMS),
                yticklabels=drums,
                xticks=range(0, len(cells) + 1, 4),
                title=name,
                ylim=(-0.7, 8.7),
            )
            axis.grid(axis="x", alpha=0.3)


def timing_histogram(path: Path, true: Cells, playings: dict[str, Cells]) -> None:
    """Draw how far from the grid everybody plays, early to the left."""
    struck, edges = true[..., HITS] > 0.5, np.linspace(-0.5, 0.5, 51)
    with picture(path, title="Where hits fall", x="sixteenths from the grid, early to late", y="share of hits") as axes:
        for name, cells in {"drummers": true, **playings}.items():
            lean = np.clip(-cells[..., OFFSETS][struck] / 2, -0.5, 0.5)
            axes.hist(
                lean, edges, weights=np.full(len(lean), 1 / len(lean)), histtype="step", linewidth=1.4, label=name
            )
        axes.set_ylim(0, 0.2)
        axes.legend()


def _floats(array: Cells) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))
