"""Teach a scorer, and learn how far to trust it on makers that it did not hear.

    scorer = train_scorer(dataset, ScorerTraining(), "runs/roles", jury=Jury())
    save_scorer(scorer, "models/roles")

Before the real thing there is a rehearsal: a scorer taught without a third of the makers says what it thinks of them.
They are strangers to it, so how far it is to be heeded beside the rules, and how sure it may be, is honestly told there.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.drums.roles.jury import Jury
from models.drums.roles.learned.dataset import PRACTICE, Dataset, read_dataset
from models.drums.roles.learned.lesson import LessonConfig, RoleLesson, balance
from models.drums.roles.learned.memory import SoundMemory, recall
from models.drums.roles.learned.network import RoleNetwork, ScorerConfig
from models.drums.roles.learned.presets import read_preset
from models.drums.roles.learned.scorer import RoleScorer
from models.drums.roles.trust import Trust, fit_trust
from models.drums.roles.types import DSPFeatures, SampleResult, ScoreVector
from models.learning.checkpoint import save_model
from models.learning.training import Callback, TrainingPlan, train
from models.music.errors import BadConfig, BadInput

HELD_OUT_OF = 3  # every third maker by size
LESSON_STEPS, REHEARSAL_STEPS = 400, 250
SAVE_EVERY = 50


def _plan(steps: int) -> TrainingPlan:
    return TrainingPlan(
        steps=steps,
        learning_rate=3e-3,
        warmup_steps=steps // 8,
        weight_decay=0.03,
        clip_norm=5.0,
        validate_every=steps,
        save_every=SAVE_EVERY,
        threads=1,
    )


@dataclass(frozen=True)
class ScorerTraining:
    """Everything a training of the scorer is made of."""

    network: ScorerConfig = field(default_factory=ScorerConfig)
    """Its size."""
    lesson: LessonConfig = field(default_factory=LessonConfig)
    """How sounds are shown."""
    plan: TrainingPlan = field(default_factory=lambda: _plan(LESSON_STEPS))
    """How long and how fast a listener learns."""
    rehearsal: TrainingPlan = field(default_factory=lambda: _plan(REHEARSAL_STEPS))
    """The same for the rehearsal."""


def train_scorer(
    dataset: Dataset,
    training: ScorerTraining,
    folder: str | os.PathLike[str],
    *,
    jury: Jury | None = None,
    callbacks: Sequence[Callback] = (),
) -> RoleScorer:
    """Rehearse to know how far to trust it, then teach on everything; the callbacks follow the rehearsal, which has held-out makers."""
    strange = np.isin(dataset.makers, makers_for_rehearsal(dataset))
    rehearsal, strangers = dataclasses.replace(training, plan=training.rehearsal), dataset.only(strange)
    rehearsed, loss = _teach(dataset.only(~strange), rehearsal, Path(folder) / "rehearsal", strangers, callbacks)
    scores = RoleScorer(rehearsed, Trust(), {}).score_seen(strangers.pictures[0], strangers.features[0])
    formula = [result.scores.final.values for result in judge_dataset(jury or Jury(), strangers, None)]
    trust = fit_trust(formula, scores, strangers.roles, strangers.makers)
    network, _ = _teach(dataset, training, Path(folder) / "lesson")
    facts = {
        "trust": asdict(trust),
        "makers": sorted(set(dataset.makers.tolist())),
        "shots": len(dataset.shots),
        "steps": training.plan.steps,
        "rehearsal_loss": loss,
    }
    return RoleScorer(network, trust, facts)


def teach(
    corpus: str | os.PathLike[str],
    out: str | os.PathLike[str],
    preset: str = "laptop",
    minutes: float = 0.0,
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
    work: str | os.PathLike[str] | None = None,
    steps: int = 0,
    held_out: float = 0.25,
) -> float:
    """Teach a scorer on a prepared data set, some makers left out for its evaluation; return the rehearsal's loss.

    Checkpoints go to `work`, beside the model when it is not given: a listener goes on where it was. 0 steps are the preset's.
    """
    steps = steps or read_preset(preset).steps
    dataset = read_dataset(corpus)
    rehearsal = max(1, round(steps * REHEARSAL_STEPS / LESSON_STEPS))
    plans = [dataclasses.replace(_plan(s), minutes=minutes, seed=seed) for s in (steps, rehearsal)]
    training = ScorerTraining(plan=plans[0], rehearsal=plans[1])
    taught = dataset.only(~np.isin(dataset.makers, makers_for_evaluation(dataset, held_out)))
    scorer = train_scorer(taught, training, work or Path(f"{out}-work"), callbacks=callbacks)
    save_scorer(scorer, out, replace=True)
    return scorer.facts["rehearsal_loss"]


def makers_for_evaluation(dataset: Dataset, share: float) -> list[str]:
    """Choose about a share of the makers, of all sizes; at least one unless the share is 0."""
    if not 0 <= share <= 0.5:
        raise BadConfig(f"held_out is {share}; it must be from 0 to 0.5 (try 0.25).")
    names = _makers_by_size(dataset)
    return names[1 :: round(1 / share)] if share else []


def save_scorer(scorer: RoleScorer, folder: str | os.PathLike[str], *, replace: bool = False, **facts: Any) -> Path:
    """Write the scorer's model folder whole."""
    config = scorer.network.config
    return save_model(
        folder, scorer.network, config, "roles", store_as=torch.float16, replace=replace, **scorer.facts, **facts
    )


def makers_for_rehearsal(dataset: Dataset) -> list[str]:
    """Choose makers with about a third of the one-shots; the practice room's sounds are never held out."""
    names = _makers_by_size(dataset)
    if len(names) < 2:
        raise BadInput(
            f"roles: {len(names)} maker to learn from ({', '.join(names)}); at least 2 are needed, so that confidence can be "
            "measured on one that was not heard. Add a sample pack: the top folder names the maker."
        )
    return names[::HELD_OUT_OF]


def _makers_by_size(dataset: Dataset) -> list[str]:
    names, counts = np.unique(dataset.makers[dataset.makers != PRACTICE], return_counts=True)
    return [str(names[index]) for index in np.argsort(-counts, kind="stable")]


def judge_dataset(jury: Jury, dataset: Dataset, learned: NDArray | None) -> list[SampleResult]:
    """Let a jury decide on every shot of a data set, with the learned voice's scores [n, 5] or without."""
    return [
        jury.decide(
            DSPFeatures(*map(float, row)),
            learned=None if learned is None else ScoreVector(tuple(learned[index])),
            sample_id=str(index),
            filepath=dataset.shots[index].path,
        )
        for index, row in enumerate(dataset.features[0])
    ]


def _teach(
    dataset: Dataset,
    training: ScorerTraining,
    folder: Path,
    held_out: Dataset | None = None,
    callbacks: Sequence[Callback] = (),
) -> tuple[RoleNetwork, float]:
    """Teach all listeners and solve the memory; return the last listener's validation loss too."""
    loss = 0.0
    memory = _memory_of(dataset, training.network)
    sounds, width = memory.get_buffer("sounds").shape
    network = RoleNetwork(dataclasses.replace(training.network, memory_sounds=sounds, memory_width=width))
    network.memory = memory
    for number in range(training.network.listeners):
        plan = dataclasses.replace(training.plan, seed=training.plan.seed + number)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(plan.seed)
            lesson = RoleLesson(dataset, held_out, training.network, training.lesson)
        trained = train(lesson, plan, folder / f"listener-{number}", callbacks, device="cpu")
        network.listeners[number].load_state_dict(trained.network.state_dict())
        loss = trained.best["loss"]
    return network.eval(), loss


def _memory_of(dataset: Dataset, config: ScorerConfig) -> SoundMemory:
    variants = min(config.memory_variants, len(dataset.pictures))
    pictures = torch.from_numpy(dataset.pictures[:variants]).float().flatten(0, 1)
    features = torch.from_numpy(dataset.features[:variants]).flatten(0, 1)
    roles, weights = torch.from_numpy(dataset.roles), torch.from_numpy(balance(dataset))
    return recall(pictures, features, roles.repeat(variants), weights.repeat(variants), config.memory_width)
