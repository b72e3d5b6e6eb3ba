"""The counterfactual separator inside Triton: a song in, its vocals and everything else out, part after part."""

from __future__ import annotations

from pathlib import Path

from models.separation.counterfactual.engine import CounterfactualEngine
from models.separation.sampling import Sampling
from serving.backends.backend import Backend
from serving.backends.player import Cancelled, Playing
from serving.backends.song import played
from serving.contract import Arrays
from serving.contracts.counterfactual import COUNTERFACTUAL


class CounterfactualPlayer:
    """Samples as each request wants it."""

    def __init__(self, folder: Path) -> None:
        self._engine = CounterfactualEngine.load(folder)

    def parts(self, request: Arrays, cancelled: Cancelled) -> Playing:
        steps, seed = (int(request[name][0]) if name in request else 0 for name in ("steps", "seed"))
        return played(request, self._engine.sampled(Sampling(steps, seed)))


class TritonPythonModel(Backend):
    contract = COUNTERFACTUAL

    def open_player(self, folder: Path) -> CounterfactualPlayer:
        return CounterfactualPlayer(folder)
