"""Teach a separator.  Run: jamflow run train-separator --data my-songs --preset laptop

    trained = teach("prepared", "separator-model", "laptop", minutes=30)

A training that was interrupted goes on where it was: its checkpoints lie beside the model, in separator-model-work.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.learning.checkpoint import save_model
from models.learning.training import Callback, Trained, train
from models.music.errors import BadConfig
from models.separation.dataset import Corpus, read_corpus
from models.separation.lesson import SeparationLesson, SeparationTraining, read_preset
from models.separation.locoformer.config import LocoformerConfig
from models.separation.locoformer.network import KIND as SEPARATOR
from models.separation.locoformer.network import Locoformer
from models.separation.realtime.config import LiveConfig
from models.separation.realtime.network import KIND as LIVE
from models.separation.realtime.network import Live

KINDS: dict[type[LocoformerConfig], tuple[str, Callable[[Any], nn.Module]]] = {
    LocoformerConfig: (SEPARATOR, Locoformer),
    LiveConfig: (LIVE, Live),
}
"""What a network is called in its folder, and how it is made of its config."""


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
    return train_separator(read_corpus(corpus), dataclasses.replace(chosen, plan=plan), out, work, callbacks)


def train_separator(
    corpus: Corpus, training: SeparationTraining, out: str | Path, work: str | Path, callbacks: Sequence[Callback] = ()
) -> Trained:
    """Teach a network on a corpus, resuming from `work`, and save it whole at `out`."""
    if training.start:
        from models.separation.fine_tuning import fine_tune

        return fine_tune(corpus, training, out, work, callbacks, partial(facts_of, corpus))
    config = dataclasses.replace(training.config, stems=corpus.stems)
    plan = training.plan_for(corpus, config.segment_s)
    if config.rate_hz != corpus.rate_hz:
        raise BadConfig(
            f"rate_hz is {config.rate_hz}; the songs were prepared at {corpus.rate_hz} Hz. Make them equal."
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        network = KINDS[type(config)][1](config)
    trained = train(SeparationLesson(corpus, training, network, config.segment_s), plan, work, callbacks)
    save_separator(out, trained, config, corpus)
    return trained


def save_separator(out: str | Path, trained: Trained, config: LocoformerConfig, corpus: Corpus, **facts: Any) -> None:
    """Write a separator as a model that knows how it was taught, and which songs may not examine it."""
    facts |= facts_of(corpus, trained)
    save_model(
        out, trained.network.cpu(), config, KINDS[type(config)][0], store_as=torch.float16, replace=True, **facts
    )


def facts_of(corpus: Corpus, trained: Trained) -> dict[str, Any]:
    """What a model's folder says of how it was taught, and by which songs."""
    facts = {"best": trained.best, "steps": trained.steps, "minutes": round(trained.seconds / 60, 1)}
    return facts | {"songs": corpus.summary["songs"], "heard": sorted(song.name for song in corpus["train"])}
