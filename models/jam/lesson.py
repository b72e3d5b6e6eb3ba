"""What a soloist is taught, window by window: words in, the likelihood of its own line out.

    lesson = JamLesson(network, train, validation, read_preset("laptop"))       # for models.learning.training

Every window is transposed by chance, on its words; now and then chords, the next bar's chord or the style's word are kept
from it, because a player does not always tell them. Losses are nats a note, bar lines counted (models/jam/grid.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.jam import config as configs
from models.jam.config import JamConfig
from models.jam.texts import NOTHING, Questions, Window, questions, windows
from models.jam.tokens import Text, Words
from models.jam.vocabulary import BAR, CHORD, FARTHEST, LENGTH, NEXT, PITCH, PLACE, STYLE, TRANSPOSED
from models.learning.training import TrainingPlan
from models.music.config import from_mapping, nearest, read_yaml
from models.music.errors import BadConfig, BadInput

PRESETS = Path(__file__).with_name("presets.yaml")
KINDS = {"bar": BAR, "place": PLACE, "pitch": PITCH, "length": LENGTH}


@dataclass(frozen=True)
class JamTraining:
    """How a soloist is taught."""

    plan: TrainingPlan
    style_plan: TrainingPlan
    """The same for a style on top of it."""
    network: Literal["tiny", "laptop", "studio"] = "laptop"
    """Which network, see models/jam/config.py."""
    batch: int = 16
    """Windows a step."""
    transpose: int = FARTHEST
    """Windows are transposed by up to so many semitones."""
    chords_kept: float = 0.12
    """Share of windows that are told no chord."""
    next_kept: float = 0.25
    """Share of windows that are not told the next bar's chord."""
    style_kept: float = 0.25
    """Share of windows that are told no style."""
    rank: int = 8
    """Of a style's LoRA."""
    scale: float = 2.0
    """How strongly it bends."""
    style_dropout: float = 0.1
    """Of its inputs."""
    validation_windows: int = 96
    """At most so many windows judge each validation."""

    def __post_init__(self) -> None:
        if self.batch < 1 or not 0 <= self.transpose <= FARTHEST or self.rank < 1 or self.scale <= 0:
            raise BadConfig(
                f"batch {self.batch}, transpose {self.transpose}, rank {self.rank}, scale {self.scale:g}: give at least"
                f" one window, 0 to {FARTHEST} semitones, a rank from 1 on and a scale above 0."
            )

    @property
    def config(self) -> JamConfig:
        return getattr(configs, self.network.upper())


def read_preset(name: str) -> JamTraining:
    """Read a preset of presets.yaml by its name."""
    presets = read_yaml(PRESETS)
    if name not in presets:
        raise BadConfig(f"preset {name!r}: {nearest(name, presets)}.")
    return from_mapping(JamTraining, presets[name], f"{PRESETS.name}: {name}")


class JamLesson:
    """Windows in, nats a note out: what models.learning.training teaches from."""

    def __init__(
        self, network: nn.Module, context: int, train: Sequence[Text], validation: Sequence[Text], training: JamTraining
    ) -> None:
        if not train or not validation:
            raise BadInput(
                f"jam: {len(train)} pieces to learn from, {len(validation)} to be judged by; at least one each."
            )
        self.network, self.context, self.texts, self.training = network, context, train, training
        self.share = np.cumsum([sum(map(len, text.bars)) for text in train])
        cut = [window for text in validation for window in windows(text, context)]
        chosen = np.linspace(0, len(cut) - 1, min(len(cut), training.validation_windows)).astype(int)
        self.judged = [cut[index] for index in chosen]

    def batch(self, step: int, generator: torch.Generator) -> Questions:
        """Return a step's windows as questions and answers."""
        dice = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        return questions([Window(self.drawn(dice), 0) for _ in range(self.training.batch)])

    def drawn(self, dice: np.random.Generator) -> Words:
        """Cut a window out of any piece, long ones more often; then move it and keep something from it."""
        text = self.texts[int(np.searchsorted(self.share, dice.random() * self.share[-1], side="right"))]
        first = int(dice.integers(len(text.bars)))
        words = text.window(first, text.fitting(first, self.context))[: self.context]
        words = TRANSPOSED[int(dice.integers(-self.training.transpose, self.training.transpose + 1))][words]
        chords, following, style = dice.random(3) < (
            self.training.chords_kept,
            self.training.next_kept,
            self.training.style_kept,
        )
        is_chord = (words > CHORD()) & (words < CHORD(CHORD.size))
        if chords:
            words[is_chord] = CHORD()
        elif following:
            words[is_chord & (np.roll(words, 1) == NEXT())] = CHORD()
        if style:
            words[1] = STYLE()
        return words

    def loss(self, network: nn.Module, batch: Questions, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        nats = surprise(network(batch.words, batch.beside), batch.answers)
        return nats.sum() / notes_in(batch.answers), {}

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Judge the same windows each time, with nothing kept from them."""
        return nats_a_note(network, self.judged, self.training.batch)


def surprise(logits: Tensor, answers: Tensor) -> Tensor:
    """Nats of each answer, [b, t]; 0 where none is asked for."""
    flat = functional.cross_entropy(
        logits.float().flatten(0, 1), answers.flatten(), ignore_index=NOTHING, reduction="none"
    )
    return flat.view(answers.shape)


def notes_in(answers: Tensor) -> Tensor:
    return ((answers >= PITCH()) & (answers < PITCH(PITCH.size))).sum().clamp(min=1)


def nats_a_note(network: nn.Module, lines: Sequence[Window], at_once: int = 16) -> dict[str, float]:
    """Nats a note over windows: all of them as "loss", and the share of each kind of word."""
    device = next(network.parameters()).device
    totals, notes = dict.fromkeys(KINDS, 0.0), 0
    with torch.no_grad():
        for begin in range(0, len(lines), at_once):
            words, beside, answers = (part.to(device) for part in questions(lines[begin : begin + at_once]))
            nats = surprise(network(words, beside), answers)
            notes += int(notes_in(answers))
            for name, kind in KINDS.items():
                totals[name] += float(nats[(answers >= kind.first) & (answers < kind.first + kind.size)].sum())
    parts = {f"{name}_nats": total / max(1, notes) for name, total in totals.items()}
    return {"loss": sum(parts.values()), **parts}
