"""Does the separator learn?  Run: python -m benchmarks.separation_learning [--minutes 25]

SynthStems, songs made here from a seed: the band Locoformer against an Open-Unmix of as many parameters, the same batches
for the same time on one thread each, judged on songs that neither has seen: of the same kind, and of an unfamiliar one.
With the default of 25 minutes for each it takes about an hour on two cores. They learn in turns, so that what else the
machine does meanwhile slows both alike. Validation songs choose the best weights;
the test songs are looked at once, here. Bars: 1 dB of uSDR above Open-Unmix, and above silence on every stem.
"""

from __future__ import annotations

import argparse
import dataclasses
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
from models.separation.report import evaluate, table

OURS, THEIRS = "band Locoformer", "Open-Unmix"
BAR_DB = 1.0
TURNS = 5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=25.0, help="of teaching each network")
    parser.add_argument("--songs", type=int, default=120, help="songs to learn from; a tenth as many examine")
    parser.add_argument("--songs-in", type=Path, help="folder in which the songs are kept for the next time")
    parser.add_argument("--preset", default="laptop", help="of models/separation/presets.yaml, or a file of your own")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        corpus = gathered(asked.songs_in or Path(name, "songs"), Path(name, "prepared"), asked.songs)
        training = read_preset(asked.preset)
        plan = dataclasses.replace(
            training.plan, minutes=asked.minutes, threads=1, steps=1_000_000, schedule="constant"
        )
        training = dataclasses.replace(training, plan=plan)
        networks = rivals(corpus, training)
        show_loader(corpus, training, networks[OURS])
        taught = {}
        for turn in range(1, TURNS + 1):
            until = dataclasses.replace(training, plan=dataclasses.replace(plan, minutes=asked.minutes * turn / TURNS))
            taught = {who: teach(who, corpus, until, network, Path(name)) for who, network in networks.items()}
    return judged(corpus, training, taught)


def gathered(songs: Path, prepared: Path, count: int) -> Corpus:
    """Make songs that are not there yet, and read them all."""
    examined = max(4, count // 10)
    counts = {"train": count, "valid": max(4, count // 20), "test": examined, "unfamiliar": examined}
    return prepare(write_stem_songs(songs, counts), prepared)


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


def teach(who: str, corpus: Corpus, training: SeparationTraining, network: nn.Module, work: Path) -> Trained:
    """Go on where the network was, until the plan's minutes of its own are over."""
    lesson = SeparationLesson(corpus, training, network, training.config.segment_s)
    trained = train(lesson, training.plan, work / who)
    count = sum(weight.numel() for weight in network.parameters())
    found = f"best validation uSDR {trained.best['usdr']:.2f} dB at step {trained.best['step']}"
    print(f"{who}: {count / 1e6:.2f} M parameters, {trained.steps} steps, {found}", flush=True)
    return trained


def judged(corpus: Corpus, training: SeparationTraining, taught: dict[str, Trained]) -> int:
    chunk = round(training.config.segment_s * corpus.rate_hz)
    players = {who: partial(separated, trained.network, frames=chunk) for who, trained in taught.items()}
    reports = {
        split: evaluate(players, corpus[split], corpus.stems, corpus.rate_hz) for split in ("test", "unfamiliar")
    }
    for split, report in reports.items():
        print(f"\n{split}: {table(report)}")
    test = reports["test"]
    above, silence = test.mean(OURS) - test.mean(THEIRS), test.beats("zeros", OURS)
    print(f"\nuSDR above {THEIRS}: {above:+.2f} dB (bar {BAR_DB:+.1f}); above silence on every stem: {silence}")
    return int(above < BAR_DB or not silence)


if __name__ == "__main__":
    sys.exit(main())
