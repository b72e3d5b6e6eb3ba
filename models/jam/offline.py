"""Compare players over held-out pieces, people and baselines always among them.

    report = compare(roles, {"jam": play}, nll={"jam": 5.1})
    print(table(report)); draw(report, "players.png")
    figures = judge("roles", "evaluation", {"jam": play})         # metrics.json, baselines.json, report.txt, pictures

Every player plays over the same bars of the same pieces. Distances are from the people who played these pieces: silence
and gaps band by band of tempo, each band by its share of pieces; degrees and steps by Jensen-Shannon divergence.
"people on other tunes" are the validation split: nobody can be asked to be nearer to people than people are.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.jam.baselines import Player, chord_tones_in, markov_player, people, people_on_the_grid
from models.jam.figures import PLAYED
from models.jam.markov import Markov, taught
from models.jam.metrics import Measured, divergence, grid_error_ms, measure
from models.jam.roles import SPLITS, Roles, RoleSample
from models.music.errors import BadConfig
from models.music.files import whole_folder, write_json, write_text
from models.music.plots import picture

BARS = 32
"""Of each piece, that are played and compared."""
TEMPO_BANDS = (80, 110, 140, 180, 220)
PEOPLE, GRID, OTHERS, TONES, MARKOV = (
    "people",
    "people, on the grid",
    "people on other tunes",
    "random chord tones",
    "Markov, order 3",
)


@dataclass(frozen=True)
class Report:
    """What was measured on one split."""

    split: str
    pieces: int
    figures: dict[str, dict[str, float]]
    """By player, then by figure of figures.PLAYED."""
    grid_ms: tuple[float, float]
    """By how much the grid moves an onset: mean and 95 %."""
    by_tempo: dict[str, list[tuple[float, float, float]]] = field(default_factory=dict)
    """By player: each piece's tempo, dead air and silence."""
    steps: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def compare(
    roles: Roles,
    players: Mapping[str, Player],
    nll: Mapping[str, float] | None = None,
    split: str = "test",
    bars: int = BARS,
    seed: int = 0,
    markov: Markov | None = None,
) -> Report:
    """Have everybody play over the pieces of a split, and measure."""
    if split not in SPLITS or bars < 1:
        raise BadConfig(f"split {split!r}, {bars} bars: give one of {', '.join(SPLITS)} and at least 1 bar.")
    samples, others = ([sample.first(bars) for sample in roles[name]] for name in (split, "valid"))
    markov = markov or taught(roles["train"], roles["valid"])
    cast: dict[str, Player] = {PEOPLE: people, GRID: people_on_the_grid}
    cast |= {TONES: chord_tones_in(roles["train"]), MARKOV: markov_player(markov), **players}
    heard = {name: _heard(play, samples, seed) for name, play in cast.items()} | {OTHERS: _heard(people, others, seed)}
    tempos = {name: [sample.tempo_bpm for sample in (others if name == OTHERS else samples)] for name in heard}
    surprises = {MARKOV: nll_of(markov, roles[split]), **(nll or {})}
    figures = {
        name: {figure: _mean([each.figures[figure] for each in lines]) for figure in lines[0].figures}
        | _beside(lines, tempos[name], heard[PEOPLE], tempos[PEOPLE])
        | ({"nll": surprises[name]} if name in surprises else {})
        for name, lines in heard.items()
    }
    errors = np.concatenate([grid_error_ms(sample.lead) for sample in samples])
    return Report(
        split,
        len(samples),
        figures,
        (float(errors.mean()), float(np.quantile(errors, 0.95))),
        {
            name: [
                (bpm, x.figures["dead_air"], x.figures["silence"]) for bpm, x in zip(tempos[name], lines, strict=True)
            ]
            for name, lines in heard.items()
        },
        {name: np.sum([each.steps for each in lines], axis=0) for name, lines in heard.items()},
    )


def nll_of(markov: Markov, samples: Sequence[RoleSample]) -> float:
    """Nats a note over whole leads, bar lines included."""
    nats = sum(sum(markov.nats(sample).values()) for sample in samples)
    return nats / sum(len(sample.lead) for sample in samples)


def judge(
    roles: Roles,
    out: str | os.PathLike[str],
    players: Mapping[str, Player],
    nll: Mapping[str, float] | None = None,
    split: str = "test",
    bars: int = BARS,
    seed: int = 0,
) -> dict[str, float]:
    """Compare, and leave the report as a folder; return the first player's figures, or the Markov chain's without one."""
    report = compare(roles, players, nll, split, bars, seed)
    judged = next(iter(players), MARKOV)
    with whole_folder(out, replace=True) as part:
        write_json(part / "metrics.json", _told(report.figures[judged]))
        write_json(
            part / "baselines.json", {name: _told(told) for name, told in report.figures.items() if name != judged}
        )
        write_text(part / "report.txt", table(report) + "\n")
        draw(report, part / "players.png")
    return report.figures[judged]


def table(report: Report) -> str:
    """Write the report as text, a figure a line."""
    wide = [max(len(name), 9) + 2 for name in report.figures]
    lines = [
        f"{report.split}: {report.pieces} pieces",
        " " * 42 + "".join(f"{n:>{w}}" for n, w in zip(report.figures, wide, strict=True)),
    ]
    for key, figure in PLAYED.items():
        values = [told.get(key, np.nan) for told in report.figures.values()]
        cells = "".join(f"{'' if np.isnan(v) else f'{v:.4f}':>{w}}" for v, w in zip(values, wide, strict=True))
        lines.append(f"{figure.name:42}{cells}  {figure.unit}")
    mean, most = report.grid_ms
    lines.append(f"The grid moves an onset by {mean:.1f} ms, 95 % of them by at most {most:.1f} ms.")
    return "\n".join(lines)


def draw(report: Report, path: str | os.PathLike[str]) -> None:
    """Draw dead air and silence by tempo, and the steps that players take."""
    shown = [name for name in report.figures if name not in (GRID, OTHERS)]
    with picture(path, title=f"{report.pieces} pieces of the {report.split} split", columns=3, inches=(13, 4)) as axes:
        for axis, column, title in (
            (axes[0], 1, "dead air, share of intervals"),
            (axes[1], 2, "silence, share of time"),
        ):
            for name in shown:
                points = np.array(report.by_tempo[name])
                axis.scatter(points[:, 0], points[:, column], s=8, alpha=0.6, label=name)
            axis.set(title=title, xlabel="bpm", ylim=(-0.02, 1.02))
        axes[0].legend(markerscale=2)
        for name in shown:
            steps = report.steps[name]
            axes[2].plot(np.arange(len(steps)) - len(steps) // 2, steps / max(steps.sum(), 1), label=name)
        axes[2].set(title="steps from note to note", xlabel="semitones", ylabel="share")


def _heard(play: Player, samples: Sequence[RoleSample], seed: int) -> list[Measured]:
    return [measure(play(sample, np.random.default_rng((seed, i))), sample) for i, sample in enumerate(samples)]


def _beside(
    lines: Sequence[Measured], tempos: Sequence[float], theirs: Sequence[Measured], their_tempos: Sequence[float]
) -> dict[str, float]:
    """How far lines are from people's."""

    def apart(figure: str) -> float:
        own, people = (_by_band(x, t, figure) for x, t in ((lines, tempos), (theirs, their_tempos)))
        common = [band for band in own if band in people]
        weights = [people[band][1] for band in common]
        return float(np.average([abs(own[band][0] - people[band][0]) for band in common], weights=weights))

    def diverges(kind: str) -> float:
        own, people = (np.sum([getattr(each, kind) for each in x], axis=0) for x in (lines, theirs))
        return divergence(own, people)

    return {
        "silence_distance": apart("silence"),
        "gaps_distance": apart("gaps_a_minute"),
        "pitch_js": diverges("degrees"),
        "interval_js": diverges("steps"),
    }


def _by_band(lines: Sequence[Measured], tempos: Sequence[float], figure: str) -> dict[int, tuple[float, int]]:
    """Each band of tempo with the mean of a figure and how many lines are in it."""
    bands = np.searchsorted(TEMPO_BANDS, tempos)
    values = np.array([each.figures[figure] for each in lines])
    return {int(band): (float(values[bands == band].mean()), int((bands == band).sum())) for band in np.unique(bands)}


def _mean(values: Sequence[float]) -> float:
    told = [value for value in values if not np.isnan(value)]
    return float(np.mean(told)) if told else float("nan")


def _told(figures: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in figures.items() if not np.isnan(value)}
