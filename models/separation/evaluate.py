"""Judge a trained separator's folder and leave the verdict as files.

    figures = judge("prepared", "model", "evaluation", champion="champion/model")

The evaluation folder holds metrics.json, champion.json (the champion's figures on the same songs), baselines.json (what
costs nothing, and the ideal mask), report.txt and a picture. Songs that taught the model are refused as examiners.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from models.learning.checkpoint import CONFIG
from models.learning.evaluation import Heard, write_evaluation
from models.music.errors import BadInput
from models.music.files import read_mapping, write_json, write_text
from models.separation.closer import look_closer
from models.separation.dataset import PreparedSong, read_corpus
from models.separation.report import METRICS, MODEL, Report, draw, evaluate, table
from models.separation.stems import apart, load_engine


def judge(
    corpus: str | os.PathLike[str],
    model: str | os.PathLike[str],
    out: str | os.PathLike[str],
    champion: str | os.PathLike[str] | None = None,
    split: str = "test",
    closer: int = 0,
) -> dict[str, float]:
    """Measure a model, and the champion beside it; return the model's figures.

    So many songs are looked at more closely, which takes minutes (models/separation/closer.py): closer.json.
    """
    songs = read_corpus(corpus)

    def hear(folder: Path) -> Heard:
        model = load_engine(folder)
        refuse_taught(folder, songs[split], read_mapping(folder / CONFIG).get("facts", {}))
        if tuple(model.stems) != songs.stems or model.rate_hz != songs.rate_hz:
            theirs = f"{', '.join(model.stems)} at {model.rate_hz} Hz"
            raise BadInput(f"{folder}: separates {theirs}; the songs were prepared otherwise. Prepare them again.")
        play = partial(apart, model=model)
        report = evaluate(play, songs[split], songs.stems, songs.rate_hz)

        def draw_all(part: Path) -> None:
            write_report(part, report)
            if closer:
                write_json(part / "closer.json", look_closer(play, songs[split][:closer], songs.stems, songs.rate_hz))

        return Heard(figures_of(report), draw_all)

    return write_evaluation(out, hear, model, champion)


def refuse_taught(folder: Path, songs: Sequence[PreparedSong], facts: Mapping[str, Any]) -> None:
    """Refuse examiners that a model heard while it was taught."""
    known = {song.name for song in songs} & set(facts.get("heard", []))
    if known:
        raise BadInput(
            f"{folder}: {len(known)} of these songs taught it, {min(known)} first. Give songs it never heard."
        )


def write_report(folder: Path, report: Report) -> None:
    """Write what others than the model reach, all of it as text, and its picture."""
    others = [who for who in report.spreads if who != MODEL]
    write_json(folder / "baselines.json", {who: figures_of(report, who) for who in others})
    write_text(folder / "report.txt", table(report) + "\n")
    draw(report, folder / "separation.png")


def figures_of(report: Report, who: str = MODEL) -> dict[str, float]:
    """Pick the numbers that a registry keeps: means over stems, and the uSDR of each stem."""
    means = {metric: report.mean(who, metric) for metric in METRICS}
    stems = {f"usdr_{stem}": spread.median for stem, spread in report.spreads[who]["usdr"].items() if spread.songs}
    return {name: round(value, 4) for name, value in {**means, **stems}.items()}
