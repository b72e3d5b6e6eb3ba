"""Does the separator learn?  Run: python -m benchmarks.separation_learning [--minutes 50]

SynthStems, songs made here from a seed: the band Locoformer against an Open-Unmix of as many parameters, the same batches
for the same time on one thread each, judged on songs that neither has seen: of the same kind, and of an unfamiliar one.
With the default of 50 minutes it takes about an hour on two cores: both learn at the same time, on one thread each, so that
what else the machine does meanwhile slows both alike. Validation songs choose the best weights; the test songs are looked
at once, here. Bars: 1 dB of uSDR above Open-Unmix, and above silence on every stem.

With --also FOLDER both learn from songs of yours as well, and are judged on those of them that were held out in a table of
their own. With --keep FOLDER the separator stays as a model: so the starter was made.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import nn

from benchmarks.open_unmix import of_size
from models.learning.training import Trained, train
from models.practice.stem_songs import write_stem_songs
from models.separation.chunks import separated
from models.separation.dataset import Corpus, prepare, read_corpus
from models.separation.lesson import SeparationLesson, SeparationTraining, read_preset
from models.separation.locoformer.network import Locoformer
from models.separation.report import Report, evaluate, table
from models.separation.train import save_separator

OURS, THEIRS = BOTH = "band Locoformer", "Open-Unmix"
BAR_DB = 1.0
STEPS_A_MINUTE = 600
"""More than either makes: the minutes are to end both."""
MADE, EXAMINED = "songs", ("test", "unfamiliar")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=50.0, help="of teaching each network")
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
        plan = replace(training.plan, steps=math.ceil(STEPS_A_MINUTE * asked.minutes), minutes=asked.minutes, threads=1)
        training = replace(training, plan=plan)
        show_loader(corpus, training)
        with ProcessPoolExecutor(len(BOTH), get_context("spawn")) as schools:
            for school in [schools.submit(teach, who, Path(name, "prepared"), training, work) for who in BOTH]:
                school.result()
        taught = {who: teach(who, Path(name, "prepared"), training, work) for who in BOTH}  # its minutes are over
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


def show_loader(corpus: Corpus, training: SeparationTraining) -> None:
    """Print how long the making of a batch takes beside the learning from it."""
    network = rivals(corpus, training)[OURS]
    lesson = SeparationLesson(corpus, training, network, training.config.segment_s)
    dice, began = torch.Generator().manual_seed(0), time.perf_counter()
    drawn = [lesson.batch(0, dice) for _ in range(8)]
    made, began = (time.perf_counter() - began) / len(drawn), time.perf_counter()
    lesson.loss(network, drawn[0], dice)[0].backward()
    learnt = time.perf_counter() - began
    print(
        f"a batch is made in {1000 * made:.0f} ms and learnt from in {1000 * learnt:.0f}: {made / learnt:.3f} of the time"
    )


def teach(who: str, prepared: Path, training: SeparationTraining, work: Path) -> Trained:
    """Teach one of them until its minutes are over; one that was taught already comes back as it is."""
    corpus = read_corpus(prepared)
    network = rivals(corpus, training)[who]
    trained = train(SeparationLesson(corpus, training, network, training.config.segment_s), training.plan, work / who)
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
