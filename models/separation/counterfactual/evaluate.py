"""Judge a trained counterfactual separator's folder and leave the verdict as files.

    figures = judge("prepared", "model", "evaluation", champion="champion/model")

As models/separation/evaluate.py does, for two parts: vocals and instrumental. The figures are those of `steps` sampling
steps; steps.json and a picture tell the vocals' uSDR with other numbers of them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from models.learning.evaluation import Heard, write_evaluation
from models.learning.processes import own_device
from models.music.errors import BadInput
from models.music.files import write_json
from models.music.plots import picture
from models.separation.counterfactual.config import PARTS, VOCALS
from models.separation.counterfactual.engine import CounterfactualEngine
from models.separation.counterfactual.network import load_counterfactual
from models.separation.counterfactual.songs import SungSong, sung
from models.separation.dataset import PreparedSong, read_corpus
from models.separation.evaluate import figures_of, refuse_taught, write_report
from models.separation.report import Report, evaluate

STEPS = (1, 5, 10, 20, 50)
EXAMINED, EXCERPT_S = 3, 10.0
"""Songs on which other numbers of steps are heard, and how much of each: all of it would take long."""


def judge(
    corpus: str | os.PathLike[str],
    model: str | os.PathLike[str],
    out: str | os.PathLike[str],
    champion: str | os.PathLike[str] | None = None,
    split: str = "test",
    steps: int = 0,
    curve: Sequence[int] = STEPS,
) -> dict[str, float]:
    """Measure a model, and the champion beside it; return the model's figures. 0 steps take the model's own number."""
    prepared = read_corpus(corpus)
    songs = sung(prepared, split)

    def hear(folder: Path) -> Heard:
        network, facts = load_counterfactual(folder)
        refuse_taught(folder, songs, facts)
        if network.config.rate_hz != prepared.rate_hz:
            raise BadInput(f"{folder}: knows {network.config.rate_hz} Hz; the songs have {prepared.rate_hz}.")
        engine = CounterfactualEngine(network.to(own_device()), steps)
        report = evaluate(engine.separated, songs, PARTS, prepared.rate_hz)

        def draw_all(part: Path) -> None:
            write_report(part, report)
            excerpts = [loudest(song, prepared.rate_hz) for song in songs[:EXAMINED]]
            counts = [count for count in curve if count <= network.config.timesteps]
            by_steps = vocals_by_steps(engine, excerpts, prepared.rate_hz, counts)
            write_json(part / "steps.json", by_steps)
            draw_steps({VOCALS: by_steps}, part / "steps.png")

        return Heard(figures_of(report), draw_all)

    return write_evaluation(out, hear, model, champion)


def loudest(song: SungSong, rate_hz: int, seconds: float = EXCERPT_S) -> SungSong:
    """Cut a song to where it is sung loudest."""
    frames, sung_at = round(seconds * rate_hz), int(song.loudness_db[song.voice].argmax()) * rate_hz
    start = min(max(0, sung_at - frames // 2), max(0, song.frames - frames))
    return replace(song, samples=song.samples[..., start : start + frames])


def vocals_by_steps(
    engine: CounterfactualEngine, songs: Sequence[PreparedSong], rate_hz: int, steps: Sequence[int]
) -> dict[int, float]:
    """The vocals' uSDR, median over songs, for each number of sampling steps."""
    players = {str(count): replace(engine, steps=count).separated for count in steps}
    report = evaluate(players, songs, PARTS, rate_hz)
    return {count: vocals_of(report, str(count)) for count in steps}


def vocals_of(report: Report, who: str) -> float:
    return round(report.spreads[who]["usdr"][VOCALS].median, 4)


def draw_steps(found: Mapping[str, Mapping[int, float]], path: str | os.PathLike[str]) -> None:
    """Draw uSDR against sampling steps, a line for each name."""
    title = "What more steps of sampling give"
    with picture(path, title=title, x="steps", y="uSDR of vocals in dB") as axes:
        for name, by_steps in found.items():
            axes.plot(list(by_steps), list(by_steps.values()), marker="o", label=name)
        axes.set_xscale("log")
        ticks = sorted({count for by_steps in found.values() for count in by_steps})
        axes.set_xticks(ticks, [str(count) for count in ticks], minor=False)
        axes.minorticks_off()
        axes.axhline(0, color="black", linewidth=0.6)
        axes.legend()
