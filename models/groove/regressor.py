"""The peer to reach: two bidirectional LSTMs of 64 that read the hits and say one velocity and one lean for each.

player = taught(corpus, minutes=7, folder="regressor")
cells = player(cells)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from models.groove.dataset import Corpus
from models.groove.encoding import HITS, VELOCITIES
from models.groove.metrics import Cells, Player
from models.learning.training import TrainingPlan, train

BATCH = 128


class Regressor(nn.Module):
    """Hits [b, t, 9] to velocities and offsets [b, t, 18]."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.reader = nn.LSTM(9, width, num_layers=2, bidirectional=True, batch_first=True)
        self.output = nn.Linear(2 * width, 18)

    def forward(self, hits: Tensor) -> Tensor:
        velocity, offset = self.output(self.reader(hits)[0]).chunk(2, -1)
        return torch.cat([torch.sigmoid(velocity), torch.tanh(offset)], -1)


class RegressorLesson:
    """Squared errors of velocity and offset at the hits."""

    def __init__(self, corpus: Corpus, seed: int = 0) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network: nn.Module = Regressor()
        self.train = torch.from_numpy(corpus.train.cells)
        self.validation = torch.from_numpy(corpus.validation.cells)

    def batch(self, step: int, generator: torch.Generator) -> Tensor:
        return self.train[torch.randint(len(self.train), (BATCH,), generator=generator)]

    def loss(self, network: nn.Module, batch: Tensor, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        hits = batch[..., HITS]
        error = (network(hits) - batch[..., VELOCITIES.start :]).square() * hits.repeat(1, 1, 2)
        return error.sum() / hits.sum(), {}

    def validate(self, network: nn.Module) -> dict[str, float]:
        return {"loss": float(self.loss(network, self.validation, torch.Generator())[0])}


def taught(corpus: Corpus, minutes: float, folder: str | Path, seed: int = 0) -> Player:
    """Teach the regressor for so many minutes and keep what validates best."""
    plan = TrainingPlan(
        threads=1,
        steps=100_000,
        learning_rate=1e-3,
        schedule="constant",
        validate_every=50,
        save_every=500,
        minutes=minutes,
        seed=seed,
    )
    network = train(RegressorLesson(corpus, seed), plan, folder).network.cpu()

    def player(cells: Cells) -> Cells:
        hits = (cells[..., HITS] > 0.5).astype(np.float32)
        with torch.inference_mode():
            played = [network(part).numpy() for part in torch.from_numpy(hits).split(1024)]
        return np.concatenate([hits, np.concatenate(played)], axis=-1)

    return player
