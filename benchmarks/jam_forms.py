"""Chord symbols or the band's own notes: which tells a soloist more, taught equally.  Run: python -m benchmarks.jam_forms

Two small soloists of one seed are taught as many steps on the same leads of ../shared (the practice room's solos where
there are none), one told chords a bar ahead, the other the band's notes first (`--form band`). Pieces that neither heard
judge: surprise, and how much more there is over another piece's chords and band.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

import torch

from benchmarks.jam_offline import BY_TUNE, REAL
from models.jam.config import LAPTOP, JamConfig
from models.jam.evaluate import over_each_others_bands, surprise_by
from models.jam.lesson import JamLesson, read_preset
from models.jam.network import JamNetwork
from models.jam.prepare import Preparing, prepare
from models.jam.repertoire import Repertoire
from models.jam.roles import Roles
from models.jam.texts import texts_of
from models.learning.training import train
from models.practice.solos import write_solos

SMALL = dataclasses.replace(LAPTOP, layers=4, width=128, heads=2, hidden=256)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as there:
        source = REAL if REAL.is_dir() else write_solos(Path(there, "solos"), 120, seed=1)
        roles = prepare(source, Path(there, "roles"), Preparing(naming=BY_TUNE))
        styles = tuple(sorted({sample.style for sample in roles["train"]}))
        notes = sum(len(sample.lead) for sample in roles["train"])
        print(f"{len(roles['train'])} leads, {notes:,} notes; {flags.steps} steps, {len(roles['test'])} leads judge")
        for form in ("chords", "band"):
            config = dataclasses.replace(SMALL, styles=styles, form=form)
            print(f"{form:7}", measured(roles, config, Path(there, form), flags.steps, flags.seed), flush=True)


def measured(roles: Roles, config: JamConfig, work: Path, steps: int, seed: int) -> str:
    """Teach one soloist, and say what its judges found."""
    training = read_preset("laptop")
    plan = dataclasses.replace(training.plan, steps=steps, warmup_steps=steps // 20, validate_every=steps, seed=seed)
    torch.manual_seed(seed)
    network = JamNetwork(config)
    train_texts, judges = (texts_of(roles[split], config) for split in ("train", "valid"))
    trained = train(JamLesson(network, config.context, train_texts, judges, training), plan, work)
    words = sum(len(each) for text in train_texts for each in (*text.bars, *text.band))
    bars = sum(len(text.bars) for text in train_texts)
    repertoire, samples = Repertoire(config, trained.network.state_dict()), roles["test"]
    right = surprise_by(trained.network, repertoire, samples)
    strange = surprise_by(trained.network, repertoire, over_each_others_bands(samples))
    parts = ", ".join(f"{name.removesuffix('_nats')} {nats:.3f}" for name, nats in right.items() if name != "loss")
    return (
        f"{right['loss']:.3f} nats a note ({parts}), {strange['loss'] - right['loss']:.3f} more over another band,"
        f" {words / bars:.0f} words a bar, {trained.seconds / steps:.2f} s a step"
    )


if __name__ == "__main__":
    main()
