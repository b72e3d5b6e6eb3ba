"""How well a separator separates whole songs, beside what costs nothing.

    report = evaluate(partial(separated, network, frames=chunk), corpus["test"], corpus.stems, corpus.rate_hz)
    print(table(report));  draw(report, "sdr.png")

uSDR is 10 log10(Σ s² / Σ e²) over a whole song; cSDR is the median of the same over its seconds; both are medians over
songs, with the interval in which 95 % of the medians lie when songs are drawn again. A song's silent stems are left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.music.plots import picture
from models.separation.dataset import PreparedSong
from models.separation.metrics import Spread, csdr, estimates_of_nobody, is_silent, median_of_songs, si_sdr, usdr
from models.separation.overlap import Samples

MODEL = "separator"
METRICS = ("usdr", "csdr", "si_sdr")
Separate = Callable[[Samples], Samples]
"""float32[2, t] -> [s, 2, t]"""


@dataclass(frozen=True)
class Report:
    """What was measured on one split."""

    songs: int
    seconds: float
    spreads: dict[str, dict[str, dict[str, Spread]]]
    """By who separated, by metric, by stem."""

    def mean(self, who: str = MODEL, metric: str = "usdr") -> float:
        """The mean over stems of the medians over songs."""
        return float(np.mean([spread.median for spread in self.spreads[who][metric].values() if spread.songs] or [0.0]))

    def beats(self, other: str, who: str = MODEL) -> bool:
        """Whether every stem's uSDR is above another's."""
        ours, theirs = self.spreads[who]["usdr"], self.spreads[other]["usdr"]
        return all(ours[stem].median > theirs[stem].median for stem in ours if ours[stem].songs)


def evaluate(
    separators: Separate | Mapping[str, Separate], songs: Sequence[PreparedSong], stems: Sequence[str], rate_hz: int
) -> Report:
    """Separate every song with one separator, or with several by name, and judge them beside what costs nothing."""
    players = separators if isinstance(separators, Mapping) else {MODEL: separators}
    rows: dict[str, dict[str, dict[str, list[float]]]] = {}
    for song in songs:
        true = song.stems()
        answers = {name: separate(true.sum(0)) for name, separate in players.items()}
        for name, answer in {**answers, **estimates_of_nobody(true)}.items():
            for metric, values in _judged(true, answer, rate_hz).items():
                for stem, value in zip(stems, values, strict=True):
                    row = rows.setdefault(name, {}).setdefault(metric, {}).setdefault(stem, [])
                    if value is not None:
                        row.append(value)
    spreads = {
        who: {
            metric: {stem: median_of_songs(values) for stem, values in by_stem.items()}
            for metric, by_stem in found.items()
        }
        for who, found in rows.items()
    }
    return Report(len(songs), sum(song.frames for song in songs) / rate_hz, spreads)


def _judged(true: Samples, answer: Samples, rate_hz: int) -> dict[str, list[float | None]]:
    """Every metric of every stem; None of a silent one."""
    pairs = [None if is_silent(stem) else (stem, found) for stem, found in zip(true, answer, strict=True)]
    return {
        "usdr": [pair and usdr(*pair) for pair in pairs],
        "csdr": [pair and csdr(*pair, rate_hz) for pair in pairs],
        "si_sdr": [pair and si_sdr(*pair) for pair in pairs],
    }


def table(report: Report) -> str:
    """Write the report as text, a line for each who separated; in brackets the intervals."""
    stems = list(next(iter(report.spreads.values()))["usdr"])
    lines = [f"{report.songs} songs, {report.seconds:.0f} s; dB, medians over songs [95 % when songs are drawn again]"]
    for metric in METRICS:
        lines.append(f"{metric:20}{'mean':>8}" + "".join(f"{stem:>24}" for stem in stems))
        for who, found in report.spreads.items():
            cells = [f"{s.median:8.2f} [{s.low:6.2f},{s.high:6.2f}]" for s in (found[metric][stem] for stem in stems)]
            lines.append(f"{who:20}{report.mean(who, metric):8.2f}" + "".join(f"{cell:>24}" for cell in cells))
    return "\n".join(lines)


def draw(report: Report, path: str | os.PathLike[str]) -> None:
    """Draw everybody's uSDR, stem by stem."""
    stems = list(next(iter(report.spreads.values()))["usdr"])
    width = 0.8 / len(report.spreads)
    with picture(path, title="Separation of whole songs", y="uSDR in dB") as axes:
        for place, (who, found) in enumerate(report.spreads.items()):
            spreads = [found["usdr"][stem] for stem in stems]
            middles = np.array([spread.median for spread in spreads])
            errors = np.abs(np.array([(s.median - s.low, s.high - s.median) for s in spreads]).T)
            axes.bar(np.arange(len(stems)) + place * width, middles, width, yerr=errors, label=who)
        axes.set_xticks(np.arange(len(stems)) + 0.4 - width / 2, stems)
        axes.axhline(0, color="black", linewidth=0.6)
        axes.legend()
