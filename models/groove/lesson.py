"""What a groove network is taught, batch by batch: performances in, losses out.

    lesson = GrooveLesson(corpus.train, corpus.validation, read_preset("laptop"))     # for models.learning.training

One network learns three tasks on the same performances, and is told which only by its controls (models/groove/cues.py):
to play a score, to fill up a score that has lost some hits, and to put a tapped rhythm on the kit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from models.groove import network as networks
from models.groove.cues import MODES, Mode, controls_for
from models.groove.dataset import Windows
from models.groove.encoding import VELOCITIES, humanised, tapped, with_notes_dropped
from models.groove.network import GrooveConfig, GrooveVAE
from models.learning.training import TrainingPlan
from models.music.config import from_mapping, nearest, read_yaml
from models.music.errors import BadConfig

PRESETS = Path(__file__).with_name("presets.yaml")


@dataclass(frozen=True)
class GrooveTraining:
    """How a groove network is taught."""

    plan: TrainingPlan
    network: Literal["tiny", "laptop", "studio", "published", "published_hits"] = "laptop"
    """Which network, see models/groove/network.py."""
    batch: int = 128
    """Windows a step."""
    tasks: dict[str, float] = field(default_factory=lambda: {"humanise": 0.6, "vary": 0.2, "tap": 0.2})
    """Share of each task among the windows."""
    louder: float = 0.2
    """Windows are played up to so much louder or softer."""
    evenness: float = 0.5
    """0 draws every window alike, 1 every session alike: who played for hours must not outweigh all others."""
    regressor_minutes: float = 0.0
    """Teach the BiLSTM regressor for so long and set it beside in the evaluation."""
    validation_windows: int = 512
    """At most so many windows judge each validation."""

    def __post_init__(self) -> None:
        for task in self.tasks:
            if task not in MODES:
                raise BadConfig(f"tasks: unknown {task!r}; {nearest(task, MODES)}.")
        if self.batch < 1 or sum(self.tasks.values()) <= 0:
            raise BadConfig(f"batch is {self.batch}, tasks {self.tasks}; give at least one window and one task.")

    @property
    def config(self) -> GrooveConfig:
        return getattr(networks, self.network.upper())


def read_preset(name: str) -> GrooveTraining:
    """Read a preset of presets.yaml by its name."""
    presets = read_yaml(PRESETS)
    if name not in presets:
        raise BadConfig(f"preset {name!r}: {nearest(name, presets)}.")
    return from_mapping(GrooveTraining, presets[name], f"{PRESETS.name}: {name}")


class GrooveLesson:
    """Windows in, losses out: what models.learning.training teaches from."""

    def __init__(self, train: Windows, validation: Windows, training: GrooveTraining) -> None:
        self.windows, self.training = train.cells, training
        self.share = shares_of(train, training.evenness).cumsum()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(training.plan.seed)
            self.network: nn.Module = GrooveVAE(training.config)
        chosen = np.linspace(0, len(validation) - 1, min(len(validation), training.validation_windows)).astype(int)
        generator = np.random.default_rng(training.plan.seed)
        self.judged_windows = validation.cells[chosen]
        self.judged = [tuple(map(tensor, self.heard(self.judged_windows, task, generator))) for task in training.tasks]

    def batch(self, step: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Return what is heard, played and told in a step's windows."""
        dice = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
        names, shares = list(self.training.tasks), np.array(list(self.training.tasks.values()))
        counts = dice.multinomial(self.training.batch, shares / shares.sum())
        parts = []
        for task, count in zip(names, counts, strict=True):
            played = self.windows[np.searchsorted(self.share, dice.random(count) * self.share[-1], side="right")]
            parts.append(self.heard(self.played_louder(played, dice), task, dice))
        heard, played, told = (tensor(np.concatenate(column)) for column in zip(*parts, strict=True))
        return heard, played, told

    def heard(self, played: np.ndarray, task: str, dice: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Return what the encoder hears, what was played, and what both are told, for one task."""
        mode: Mode = task  # type: ignore[assignment]
        kind = self.training.config.controls
        given = with_notes_dropped(played, dice) if mode == "vary" else played
        told = controls_for(kind, mode, given)
        if kind == "none":
            played_as = {"humanise": humanised, "vary": np.copy, "tap": tapped}
            return played_as[mode](played), played, told
        return played, played, told

    def played_louder(self, played: np.ndarray, dice: np.random.Generator) -> np.ndarray:
        factor = dice.uniform(1 - self.training.louder, 1 + self.training.louder, size=(len(played), 1, 1))
        louder = played.copy()
        louder[..., VELOCITIES] = np.minimum(1.0, played[..., VELOCITIES] * factor)
        return louder

    def loss(self, network: nn.Module, batch: tuple, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        return network(*batch, generator)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Judge every task on the same windows and the same throws; their mean is the loss."""
        figures: dict[str, float] = {}
        for task, share, batch in zip(self.training.tasks, self.training.tasks.values(), self.judged, strict=True):
            loss, parts = network(*batch, torch.Generator().manual_seed(0))
            figures["loss"] = figures.get("loss", 0.0) + float(loss) * share / sum(self.training.tasks.values())
            figures |= {f"{task}_{name}": value for name, value in parts.items()}
        return figures


def shares_of(windows: Windows, evenness: float) -> np.ndarray:
    """Return each window's share of the draws, fewer for windows of a long session."""
    sessions = np.unique([name.rpartition("/")[0] for name in windows.names], return_inverse=True)[1]
    each = sessions[windows.performance]
    return np.bincount(each).astype(np.float64)[each] ** -evenness


def tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))
