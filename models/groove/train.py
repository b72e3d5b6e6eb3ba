"""Teach a groove network.  Run: jamflow run train-groove --data groove-midi --preset laptop

    trained = teach("prepared", "groove-model", "laptop", minutes=15)

A training that was interrupted goes on where it was: its checkpoints lie beside the model, in groove-model-work.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from models.groove.cues import controls_for
from models.groove.dataset import Corpus, read_corpus
from models.groove.heads import SpreadHeads
from models.groove.lesson import GrooveLesson, GrooveTraining, read_preset, tensor
from models.groove.network import GrooveVAE
from models.learning.checkpoint import save_model
from models.learning.training import Callback, Trained, train

KIND = "groove"


def teach(
    corpus: str | Path,
    out: str | Path,
    preset: str = "laptop",
    minutes: float = 0.0,
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
    work: str | Path | None = None,
) -> Trained:
    """Teach a preset's network on a prepared corpus's folder; 0 minutes means the preset's own limit.

    Checkpoints go to `work`, beside the model when it is not given.
    """
    chosen = read_preset(preset)
    plan = dataclasses.replace(chosen.plan, minutes=minutes or chosen.plan.minutes, seed=seed)
    work = work or Path(out).with_name(f"{Path(out).name}-work")
    return train_groove(read_corpus(corpus), dataclasses.replace(chosen, plan=plan), out, work, callbacks)


def train_groove(
    corpus: Corpus, training: GrooveTraining, out: str | Path, work: str | Path, callbacks: Sequence[Callback] = ()
) -> Trained:
    """Teach a network on a corpus, resuming from `work`, and save it whole at `out`."""
    lesson = GrooveLesson(corpus.train, corpus.validation, training)
    trained = train(lesson, training.plan, work, callbacks)
    calibrate(trained.network.cpu(), corpus)
    facts = {"best": trained.best, "steps": trained.steps, "minutes": round(trained.seconds / 60, 1)}
    facts["windows"] = corpus.summary["windows"]
    save_model(out, trained.network, training.config, KIND, store_as=torch.float16, replace=True, **facts)
    return trained


def calibrate(network: nn.Module, corpus: Corpus) -> None:
    """Teach spread heads everybody's habits, and by the validation drummers how far to fall back on them."""
    assert isinstance(network, GrooveVAE)
    if isinstance(network.heads, SpreadHeads):
        heard = corpus.validation
        played, told = tensor(heard.cells), tensor(controls_for(network.config.controls, "humanise", heard.cells))
        with torch.no_grad():
            network.heads.learn_habit(tensor(corpus.train.cells))
            nobody = torch.zeros(len(played), network.config.latent)
            logits = network.decode(nobody, told, played[..., : network.echo])
            network.heads.calibrate(logits, played, torch.from_numpy(heard.performance).long())
