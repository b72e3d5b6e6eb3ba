"""Teach a scorer: every listener without one group of makers, on whom its confidence is then calibrated.

    scorer = train_scorer(dataset, ScorerTraining(), "runs/roles", jury=Jury())
    save_scorer(scorer, "models/roles")

The makers are dealt into as many groups as there are listeners. What a listener says about its own missing group is
said about strangers, so the calibration is honest and costs no training of its own.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.drums.roles.calibration import Calibration, fit_calibration
from models.drums.roles.jury import Jury
from models.drums.roles.learned.dataset import PRACTICE, Dataset
from models.drums.roles.learned.lesson import LessonConfig, RoleLesson, balance
from models.drums.roles.learned.memory import SoundMemory, recall
from models.drums.roles.learned.network import RoleNetwork, ScorerConfig, blend
from models.drums.roles.learned.scorer import RoleScorer
from models.drums.roles.types import ROLES, DSPFeatures, SampleResult, ScoreVector
from models.learning.checkpoint import save_model
from models.learning.training import Callback, Trained, TrainingPlan, train
from models.music.errors import BadInput

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScorerTraining:
    """Everything a training of the scorer is made of."""

    network: ScorerConfig = field(default_factory=ScorerConfig)
    """Its size."""
    lesson: LessonConfig = field(default_factory=LessonConfig)
    """How sounds are shown."""
    plan: TrainingPlan = field(
        default_factory=lambda: TrainingPlan(
            steps=250,
            learning_rate=3e-3,
            warmup_steps=30,
            weight_decay=0.03,
            clip_norm=5.0,
            validate_every=250,
            save_every=250,
        )
    )
    """How long and how fast each listener learns."""


def train_scorer(
    dataset: Dataset,
    training: ScorerTraining,
    folder: str | os.PathLike[str],
    *,
    jury: Jury | None = None,
    callbacks: Sequence[Callback] = (),
) -> RoleScorer:
    """Teach all listeners, calibrate the jury's confidence on makers they did not hear, return the scorer."""
    groups = deal_makers(dataset, training.network.listeners)
    listeners, history = [], []
    strange_scores = np.full((len(dataset.shots), len(ROLES)), np.nan)
    for number, group in enumerate(groups):
        strange = np.isin(dataset.makers, group)
        taught, held_out = dataset.only(~strange), dataset.only(strange)
        trained = _teach_listener(taught, held_out, training, number, Path(folder), callbacks)
        listeners.append(trained.network)
        history += [{"listener": number, **entry} for entry in trained.history]
        remembered = _shares(_memory_of(taught, training.network), held_out)
        strange_scores[strange] = blend(_shares(trained.network.roles, held_out), remembered, training.network)
        log.info("listener %d of %d, without %s: %s", number + 1, len(groups), ", ".join(group), trained.best)
    memory = _memory_of(dataset, training.network)
    sounds, width = memory.get_buffer("sounds").shape
    network = RoleNetwork(dataclasses.replace(training.network, memory_sounds=sounds, memory_width=width))
    network.listeners, network.memory = nn.ModuleList(listeners), memory
    calibration = calibrate(jury or Jury(), dataset, strange_scores)
    facts = {
        "calibration": asdict(calibration),
        "makers": sorted(set(dataset.makers.tolist())),
        "shots": len(dataset.shots),
        "steps": training.plan.steps,
        "history": history,
    }
    return RoleScorer(network.eval(), calibration, facts)


def save_scorer(scorer: RoleScorer, folder: str | os.PathLike[str], *, replace: bool = False, **facts: Any) -> Path:
    """Write the scorer's model folder whole."""
    known = {name: value for name, value in scorer.facts.items() if name != "history"}
    return save_model(folder, scorer.network, scorer.network.config, "roles", replace=replace, **known, **facts)


def deal_makers(dataset: Dataset, groups: int) -> list[list[str]]:
    """Deal makers into groups of about the same number of one-shots; the practice room's sounds stay with everyone."""
    names, counts = np.unique(dataset.makers[dataset.makers != PRACTICE], return_counts=True)
    if len(names) < max(2, groups):
        raise BadInput(
            f"roles: {len(names)} makers ({', '.join(names)}); {max(2, groups)} are needed, one to be left out by each "
            "listener. Add sample packs, or lower listeners."
        )
    dealt: list[list[str]] = [[] for _ in range(groups)]
    sizes = [0] * groups
    for index in np.argsort(-counts, kind="stable"):
        smallest = sizes.index(min(sizes))
        dealt[smallest].append(str(names[index]))
        sizes[smallest] += int(counts[index])
    return dealt


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


def calibrate(jury: Jury, dataset: Dataset, strange_scores: NDArray) -> Calibration:
    """Fit margin to confidence on the scores of makers that were not heard; rows of NaN were not held out."""
    held = np.isfinite(strange_scores).all(axis=1)
    dataset = dataset.only(held)
    results = judge_dataset(jury, dataset, strange_scores[held])
    margins = [result.scores.final.margin for result in results]
    right = [ROLES.index(result.role) == truth for result, truth in zip(results, dataset.roles, strict=True)]
    return fit_calibration(margins, right)


def _teach_listener(
    taught: Dataset,
    held_out: Dataset,
    training: ScorerTraining,
    number: int,
    folder: Path,
    callbacks: Sequence[Callback],
) -> Trained:
    plan = dataclasses.replace(training.plan, seed=training.plan.seed + number)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        lesson = RoleLesson(taught, held_out, training.network, training.lesson)
    return train(lesson, plan, folder / f"listener-{number}", callbacks, device="cpu")


def _memory_of(dataset: Dataset, config: ScorerConfig) -> SoundMemory:
    pictures, features = torch.from_numpy(dataset.pictures[0]).float(), torch.from_numpy(dataset.features[0])
    weights = torch.from_numpy(balance(dataset))
    return recall(pictures, features, torch.from_numpy(dataset.roles), weights, config.memory_width)


def _shares(voice: Callable[[Tensor, Tensor], Tensor], dataset: Dataset) -> Tensor:
    """Ask a voice about the sounds themselves: [n, 5]."""
    with torch.inference_mode():
        return voice(torch.from_numpy(dataset.pictures[0]).float(), torch.from_numpy(dataset.features[0]))
