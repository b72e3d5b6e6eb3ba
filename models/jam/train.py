"""Teach a soloist, and a style on top of it.  Run: jamflow run train-jam-base --data midi/ --preset laptop

    trained = teach_base("roles", "jam-model", "laptop", minutes=90)
    trained = teach_style("roles", "jam-model", "swing", "jam-model-swing", "laptop", minutes=10)

A training that was interrupted goes on where it was: its checkpoints lie beside the model, in jam-model-work.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch

from models.jam.config import check_style
from models.jam.lesson import JamLesson, read_preset
from models.jam.network import JamNetwork, style_weights, with_style
from models.jam.repertoire import Repertoire, Style, read_repertoire, save_repertoire
from models.jam.roles import Roles, RoleSample, read_roles
from models.jam.texts import texts_of
from models.learning.plan import TrainingPlan
from models.learning.processes import leads
from models.learning.training import Callback, Trained, train
from models.music.config import nearest
from models.music.errors import BadInput


def teach_base(
    roles: str | Path,
    out: str | Path,
    preset: str = "laptop",
    minutes: float = 0.0,
    seed: int = 0,
    form: str = "chords",
    callbacks: Sequence[Callback] = (),
    work: str | Path | None = None,
) -> Trained:
    """Teach a preset's network on role samples; 0 minutes means the preset's own limit."""
    samples, chosen = read_roles(roles), read_preset(preset)
    styles = tuple(sorted({sample.style for sample in samples["train"]}))
    config = dataclasses.replace(chosen.config, styles=styles, form=form)
    plan = _limited(chosen.plan, minutes, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = JamNetwork(config)
    train_texts, judges = (texts_of(samples[split], config) for split in ("train", "valid"))
    lesson = JamLesson(network, config.context, train_texts, judges, chosen)
    trained = train(lesson, plan, work or _workplace(out), callbacks)
    facts = {
        **_facts(trained),
        "heard": _pieces(samples),
        "notes": sum(len(sample.lead) for sample in samples["train"]),
    }
    if leads():
        save_repertoire(out, Repertoire(config, trained.network.cpu().state_dict(), facts=facts))
    return trained


def teach_style(
    roles: str | Path,
    base: str | Path,
    style: str,
    out: str | Path,
    preset: str = "laptop",
    minutes: float = 0.0,
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
    work: str | Path | None = None,
) -> Trained:
    """Teach a LoRA on the samples of a style; what comes out is the base, its earlier styles, and this one."""
    repertoire, chosen = read_repertoire(base), read_preset(preset)
    check_style(style)
    samples, config = read_roles(roles), repertoire.config
    own = {split: _of_style(samples[split], style) for split in ("train", "valid")}
    network = JamNetwork(config)
    network.load_state_dict(dict(repertoire.base))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        with_style(network, chosen.rank, chosen.scale, chosen.style_dropout)
    train_texts, judges = (texts_of(own[split], config) for split in ("train", "valid"))
    lesson = JamLesson(network, config.context, train_texts, judges, chosen)
    trained = train(lesson, _limited(chosen.style_plan, minutes, seed), work or _workplace(out), callbacks)
    learnt = Style(style_weights(trained.network), chosen.scale)
    taught = {sample.piece for sample in own["train"]}
    heard = sorted(taught.union(repertoire.facts.get("heard", ())))
    facts = {f"style {style}": {**_facts(trained), "pieces": len(taught)}, "heard": heard}
    if leads():
        save_repertoire(out, repertoire.with_style(style, learnt, **facts))
    return trained


def _of_style(samples: list[RoleSample], style: str) -> list[RoleSample]:
    found = [sample for sample in samples if sample.style == style]
    if not found:
        known = {sample.style for sample in samples}
        raise BadInput(f"style {style!r}: no sample of the split has it; {nearest(style, known)}.")
    return found


def _pieces(samples: Roles) -> list[str]:
    """The pieces that taught it: they may not examine it."""
    return sorted({sample.piece for sample in samples["train"]})


def _limited(plan: TrainingPlan, minutes: float, seed: int) -> TrainingPlan:
    return dataclasses.replace(plan, minutes=minutes or plan.minutes, seed=seed)


def _facts(trained: Trained) -> dict:
    return {"best": trained.best, "steps": trained.steps, "minutes": round(trained.seconds / 60, 1)}


def _workplace(out: str | Path) -> Path:
    return Path(out).with_name(f"{Path(out).name}-work")
