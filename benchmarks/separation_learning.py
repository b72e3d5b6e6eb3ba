"""Does the separator learn?  Run: python -m benchmarks.separation_learning [--minutes 25]

SynthStems, songs made here from a seed: the band Locoformer against an Open-Unmix of as many parameters, the same batches
for the same time on one thread each, judged on songs that neither has seen: of the same kind, and of an unfamiliar one.
With the default of 25 minutes for each it takes about an hour on two cores. They learn in turns, so that what else the
machine does meanwhile slows both alike; the learning rate of each comes down with the steps that its minutes hold.
Validation songs choose the best weights; the test songs are looked at once, here. Bars: 1 dB of uSDR above Open-Unmix,
and above silence on every stem.

With --also FOLDER both learn from songs of yours as well, and are judged on those of them that were held out in a table of
their own. With --keep FOLDER the separator stays as a model: so the starter was made.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import torch
from torch import nn

from benchmarks.open_unmix import of_size
from models.learning.training import Trained, train
from models.practice.stem_songs import write_stem_songs
from models.separation.chunks import separated
from models.separation.dataset import Corpus, prepare
from models.separation.lesson import SeparationLesson, SeparationTraining, read_preset
from models.separation.locoformer.network import Locoformer
from models.separation.report import Report, evaluate, table
from models.separation.train import save_separator

OURS, THEIRS = "band Locoformer", "Open-Unmix"
BAR_DB = 1.0
TURNS = 5
MADE, EXAMINED = "songs", ("test", "unfamiliar")
TIMED = 6
"""Steps that say how long one takes."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=25.0, help="of teaching each network")
    parser.add_argument("--songs", type=int, default=120, help="songs to learn from; a tenth as many examine")
    parser.add_argument("--songs-in", type=Path, help="folder in which the songs are kept for the next time")
    parser.add_argument("--also", type=Path, help="folder with a folder of stems for each of more songs")
    parser.add_argument(
        "--keep", type=Path, help="folder that the separator's model is written to, checkpoints beside it"
    )
    parser.add_argument("--preset", default="laptop", help="of models/separation/presets.yaml, or a file of your own")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        work = asked.keep.with_name(f"{asked.keep.name}-work") if asked.keep else Path(name)
        corpus = gathered(asked.songs_in or Path(name, MADE), Path(name, "prepared"), asked.songs, asked.also)
        training = read_preset(asked.preset)
        networks = rivals(corpus, training)
        show_loader(corpus, training, networks[OURS])
        steps = {who: round(60 * asked.minutes / s) for who, s in seconds_a_step(corpus, training, networks).items()}
        taught = {}
        for turn in range(1, TURNS + 1):
            until = dataclasses.replace(training.plan, minutes=asked.minutes * turn / TURNS, threads=1)
            for who, network in networks.items():
                plan = dataclasses.replace(until, steps=steps[who])
                taught[who] = teach(who, corpus, dataclasses.replace(training, plan=plan), network, work)
    reports = judged(corpus, training, taught)
    if asked.keep:
        keep(asked.keep, corpus, training, taught[OURS], reports["test"])
    return verdict(reports["test"])


def gathered(songs: Path, prepared: Path, count: int, also: Path | None) -> Corpus:
    """Make songs that are not there yet, and read them all, and those of others after them."""
    examined = max(4, count // 10)
    counts = {"train": count, "valid": max(4, count // 20), "test": examined, "unfamiliar": examined}
    return prepare([write_stem_songs(songs, counts), *([also] if also else [])], prepared)


def rivals(corpus: Corpus, training: SeparationTraining) -> dict[str, nn.Module]:
    """Both networks, with as many parameters as they can have alike."""
    torch.manual_seed(0)
    ours = Locoformer(training.config)
    theirs = of_size(corpus.stems, sum(weight.numel() for weight in ours.parameters()))
    lesson = SeparationLesson(corpus, training, theirs, training.config.segment_s)
    theirs.get_used_to(torch.cat([lesson.batch(0, torch.Generator().manual_seed(n)).sum(1) for n in range(8)]))
    return {OURS: ours, THEIRS: theirs}


def show_loader(corpus: Corpus, training: SeparationTraining, network: nn.Module) -> None:
    """Print how long the making of a batch takes beside the learning from it."""
    lesson = SeparationLesson(corpus, training, network, training.config.segment_s)
    dice, began = torch.Generator().manual_seed(0), time.perf_counter()
    drawn = [lesson.batch(0, dice) for _ in range(8)]
    made, began = (time.perf_counter() - began) / len(drawn), time.perf_counter()
    lesson.loss(network, drawn[0], dice)[0].backward()
    network.zero_grad()
    learnt = time.perf_counter() - began
    print(
        f"a batch is made in {1000 * made:.0f} ms and learnt from in {1000 * learnt:.0f}: {made / learnt:.3f} of the time"
    )


def seconds_a_step(corpus: Corpus, training: SeparationTraining, networks: dict[str, nn.Module]) -> dict[str, float]:
    """Time the networks in turns, on copies that are thrown away; the median of a few steps each."""
    copies = {who: copy.deepcopy(network) for who, network in networks.items()}
    lessons = {who: SeparationLesson(corpus, training, copies[who], training.config.segment_s) for who in networks}
    dice, took = torch.Generator().manual_seed(0), {who: [] for who in networks}
    for _ in range(TIMED):
        batch = lessons[OURS].batch(0, dice)
        for who, lesson in lessons.items():
            began = time.perf_counter()
            lesson.loss(copies[who], batch, dice)[0].backward()
            took[who].append(time.perf_counter() - began)
    return {who: statistics.median(seconds) for who, seconds in took.items()}


def teach(who: str, corpus: Corpus, training: SeparationTraining, network: nn.Module, work: Path) -> Trained:
    """Go on where the network was, until the plan's minutes of its own are over."""
    lesson = SeparationLesson(corpus, training, network, training.config.segment_s)
    trained = train(lesson, training.plan, work / who)
    count = sum(weight.numel() for weight in network.parameters())
    found = f"best validation uSDR {trained.best['usdr']:.2f} dB at step {trained.best['step']}"
    print(f"{who}: {count / 1e6:.2f} M parameters, {trained.steps} steps, {found}", flush=True)
    return trained


def judged(corpus: Corpus, training: SeparationTraining, taught: dict[str, Trained]) -> dict[str, Report]:
    """Let both separate the songs that they never heard, and print what they reach."""
    chunk = round(training.config.segment_s * corpus.rate_hz)
    players = {who: partial(separated, trained.network, frames=chunk) for who, trained in taught.items()}
    made = Path(corpus["unfamiliar"][0].name).parts[0]
    examined = {split: [song for song in corpus[split] if song.name.startswith(f"{made}/")] for split in EXAMINED}
    if others := [song for song in corpus["test"] if not song.name.startswith(f"{made}/")]:
        examined["others' songs"] = others
    reports = {kind: evaluate(players, songs, corpus.stems, corpus.rate_hz) for kind, songs in examined.items()}
    for split, report in reports.items():
        print(f"\n{split}: {table(report)}")
    return reports


def verdict(test: Report) -> int:
    above, silence = test.mean(OURS) - test.mean(THEIRS), test.beats("zeros", OURS)
    print(f"\nuSDR above {THEIRS}: {above:+.2f} dB (bar {BAR_DB:+.1f}); above silence on every stem: {silence}")
    return int(above < BAR_DB or not silence)


def keep(folder: Path, corpus: Corpus, training: SeparationTraining, trained: Trained, test: Report) -> None:
    """Write the separator as a model that knows what it reached."""
    reached = {stem: round(test.spreads[OURS]["usdr"][stem].median, 2) for stem in corpus.stems}
    judged = {"on": "practice songs it never heard", "usdr": reached}
    save_separator(folder, trained, training.config, corpus, judged=judged)


if __name__ == "__main__":
    sys.exit(main())
