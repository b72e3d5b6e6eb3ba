"""Judge a soloist's folder by tunes it never heard, and leave the verdict as files.

    figures = judge("roles", "model", "evaluation", champion="champion/model")

It plays over the tunes beside people, chance and a Markov chain (models/jam/offline.py), and it is asked how surprising
people's own lines are: nll. chord_gap_nats, how much more surprising they are over another tune's band and chords, proves
that it listens. Of a style: its own pieces, with and without it.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.jam.baselines import Player
from models.jam.lesson import nats_a_note
from models.jam.markov import taught
from models.jam.network import JamNetwork
from models.jam.offline import PEOPLE, Report, compare, draw, table
from models.jam.parts import between
from models.jam.play import NOTHING, Asked, play
from models.jam.repertoire import Repertoire, read_repertoire
from models.jam.roles import RoleSample, read_roles
from models.jam.sampling import Taste
from models.jam.texts import texts_of, windows
from models.learning.evaluation import Heard, write_evaluation
from models.music.errors import BadInput
from models.music.files import whole_folder, write_json, write_text
from models.music.notes import ONSET, TICKS_PER_QUARTER, Take
from models.music.plots import picture

OVERLAP = 0.5
"""Share of what is read that is heard again, so that no note is judged without what led to it."""
SOLOIST = "soloist"
AS_LEARNT = Taste()
BARS = 32
"""Of each tune, that it plays."""


def judge(
    roles: str | os.PathLike[str],
    model: str | os.PathLike[str],
    out: str | os.PathLike[str],
    champion: str | os.PathLike[str] | None = None,
    style: str = "",
    split: str = "test",
    bars: int = BARS,
) -> dict[str, float]:
    """Measure a model, and the champion beside it; return the model's figures."""
    samples = read_roles(roles)
    markov = taught(samples["train"], samples["valid"])

    def hear(folder: Path) -> Heard:
        repertoire = read_repertoire(folder)
        refuse_taught(folder, samples[split], repertoire)
        surprise = surprise_figures(repertoire, samples[split])
        if style and style in repertoire.styles:
            surprise |= style_figures(repertoire, style, [each for each in samples[split] if each.style == style])
        report = compare(
            samples, {SOLOIST: soloist(repertoire)}, {SOLOIST: surprise["nll"]}, split, bars, markov=markov
        )
        heard = {who: _told(figures) for who, figures in report.figures.items()}

        def draw_all(part: Path) -> None:
            write_json(part / "baselines.json", {who: told for who, told in heard.items() if who != SOLOIST})
            write_text(part / "report.txt", f"{table(report)}\n\n{_lines(surprise)}\n")
            draw(report, part / "players.png")

        return Heard({**heard[SOLOIST], **_told(surprise)}, draw_all)

    return write_evaluation(out, hear, model, champion)


def soloist(repertoire: Repertoire, taste: Taste = AS_LEARNT, most_words: int = 0, place: int | None = None) -> Player:
    """Have a soloist play over samples, each in its own style where the soloist knows it."""

    def play_over(sample: RoleSample, dice: np.random.Generator) -> Take:
        style = repertoire.names.index(sample.style) if sample.style in repertoire.names else 0
        style = style if place is None else place
        asked = Asked(
            0,
            sample.bars * sample.lead.ticks_per_bar,
            sample.tempo_bpm,
            sample.meter,
            tuple((round(at * TICKS_PER_QUARTER), chord) for at, chord in sample.chords),
            band=sample.conditioning.notes,
            style=style,
            taste=taste,
            seed=int(dice.integers(2**32)),
            most_words=most_words,
        )
        notes = list(play(repertoire.decoder(style).open(), repertoire, asked))
        return sample.lead.with_notes(np.concatenate([NOTHING, *notes]))

    return play_over


def sweep(
    roles: str | os.PathLike[str],
    model: str | os.PathLike[str],
    out: str | os.PathLike[str],
    primers: Sequence[int],
    split: str = "test",
    bars: int = BARS,
    taste: Taste = AS_LEARNT,
) -> dict[str, float]:
    """Repeat the users' experiment: how dead air depends on how many words a soloist keeps in mind; by primer."""
    repertoire, samples = read_repertoire(model), read_roles(roles)
    players = {f"primer {words}": soloist(repertoire, taste, words) for words in primers}
    report = compare(samples, players, split=split, bars=bars)
    found = {name: round(report.figures[name]["dead_air"], 6) for name in players}
    with whole_folder(out, replace=True) as part:
        write_json(part / "metrics.json", {f"dead_air_{words}": found[f"primer {words}"] for words in primers})
        write_json(part / "baselines.json", {who: _told(figures) for who, figures in report.figures.items()})
        write_text(part / "report.txt", table(report) + "\n")
        draw_sweep(part / "dead_air.png", report, primers)
    return found


def draw_sweep(path: Path, report: Report, primers: Sequence[int]) -> None:
    """Draw dead air and silence by primer, people beside."""
    with picture(path, title="What is kept in mind", x="words of primer", y="share") as axes:
        for figure, colour in (("dead_air", "C0"), ("silence", "C1")):
            values = [report.figures[f"primer {words}"][figure] for words in primers]
            axes.plot(primers, values, marker="o", color=colour, label=figure.replace("_", " "))
            axes.axhline(
                report.figures[PEOPLE][figure],
                linestyle=":",
                color=colour,
                label=f"{PEOPLE}: {figure.replace('_', ' ')}",
            )
        axes.set(ylim=(0, 1), xticks=list(primers))
        axes.legend()


def refuse_taught(folder: Path, samples: Sequence[RoleSample], repertoire: Repertoire) -> None:
    """Refuse examiners that a model heard while it was taught."""
    known = {sample.piece for sample in samples} & set(repertoire.facts.get("heard", []))
    if known:
        raise BadInput(f"{folder}: {len(known)} of these pieces taught it, {min(known)} first. Give others.")


def surprise_figures(repertoire: Repertoire, samples: Sequence[RoleSample]) -> dict[str, float]:
    """What the base makes of people's lines, and of the same over each other's chords."""
    network = network_of(repertoire)
    right, strange = (surprise_by(network, repertoire, tunes) for tunes in (samples, over_each_others_bands(samples)))
    nll = right.pop("loss")
    return {"nll": nll, "chord_gap_nats": strange["loss"] - nll, **right}


def style_figures(repertoire: Repertoire, style: str, samples: Sequence[RoleSample]) -> dict[str, float]:
    """What a style makes of its own pieces, beside the base without it."""
    if not samples:
        raise BadInput(f"style {style!r}: no sample of the split has it; give more of its pieces.")
    plain = surprise_by(network_of(repertoire), repertoire, samples)["loss"]
    styled = surprise_by(network_of(repertoire, repertoire.place_of(style)), repertoire, samples)["loss"]
    return {"style_nats": styled, "style_gain": 1 - styled / plain}


def surprise_by(network: JamNetwork, repertoire: Repertoire, samples: Sequence[RoleSample]) -> dict[str, float]:
    """Nats a note of a network over samples, each bar after as many as half of what is read at once."""
    config = repertoire.config
    lines = [line for text in texts_of(samples, config) for line in windows(text, config.context, OVERLAP)]
    return nats_a_note(network, sorted(lines, key=lambda line: len(line.words)))


def network_of(repertoire: Repertoire, place: int = 0) -> JamNetwork:
    """The network that plays a style."""
    network = JamNetwork(repertoire.config)
    network.load_state_dict(repertoire.weights(place))
    return network.eval()


def over_each_others_bands(samples: Sequence[RoleSample]) -> list[RoleSample]:
    """Put every lead over the next sample's chords and band, from the beginning again where they end."""
    return [_over(sample, other) for sample, other in zip(samples, [*samples[1:], samples[0]], strict=True)]


def _over(sample: RoleSample, other: RoleSample) -> RoleSample:
    length = other.bars * other.quarters_per_bar
    turns = np.arange(sample.bars * sample.quarters_per_bar // length + 1)
    chords = tuple((turn * length + at, chord) for turn in turns.tolist() for at, chord in other.chords if at < length)
    band = np.tile(other.conditioning.notes, (len(turns), 1))
    band[:, ONSET] += np.repeat(turns * length * TICKS_PER_QUARTER, len(other.conditioning)).astype(np.int32)
    band = between(band, 0, sample.bars * sample.lead.ticks_per_bar)
    return dataclasses.replace(sample, chords=chords, conditioning=sample.conditioning.with_notes(band))


def _told(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in figures.items() if not np.isnan(value)}


def _lines(figures: dict[str, float]) -> str:
    return "\n".join(f"{name:<42}{value:>11.4f}" for name, value in figures.items())
