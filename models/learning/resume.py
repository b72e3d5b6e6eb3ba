"""The whole state of a training, as folders that are complete or not there.

state = TrainingState(network, optimiser, generator)
save_state(folder, state)                     # folder/step-00000500, the newest two are kept
if found := newest_state(folder): state.restore(found)
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.learning.checkpoint import load_weights, read_tensors, write_tensors
from models.music.files import is_whole, read_json, whole_folder, write_json

TENSORS, FIGURES = "state.safetensors", "state.json"
KEPT = 2


@dataclass
class TrainingState:
    """Everything the next step depends on."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    generator: torch.Generator
    ema: dict[str, Tensor] | None = None
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    step: int = 0
    stale: int = 0
    """Validations since the best one."""
    seconds: float = 0.0

    def tensors(self) -> dict[str, Tensor]:
        groups = {"network": self.network.state_dict(), "ema": self.ema or {}, "best": self.best_weights}
        flat = {f"{group}/{name}": tensor for group, members in groups.items() for name, tensor in members.items()}
        for index, members in self.optimiser.state_dict()["state"].items():
            flat |= {f"optimiser/{index}/{name}": torch.as_tensor(value) for name, value in members.items()}
        flat["random/generator"] = self.generator.get_state()
        flat["random/cpu"] = torch.get_rng_state()
        if torch.cuda.is_available():
            flat["random/cuda"] = torch.cuda.get_rng_state()
        return flat

    def figures(self) -> dict[str, Any]:
        names = ("best", "history", "step", "stale", "seconds")
        return {name: getattr(self, name) for name in names}

    def restore(self, folder: Path) -> None:
        tensors = read_tensors(folder / TENSORS)
        load_weights(self.network, _group(tensors, "network"), folder)
        device = next(self.network.parameters()).device
        self.ema = {k: v.to(device) for k, v in _group(tensors, "ema").items()} or None
        self.best_weights = {k: v.to(device) for k, v in _group(tensors, "best").items()}
        members: dict[int, dict[str, Tensor]] = {}
        for key, value in _group(tensors, "optimiser").items():
            index, name = key.split("/", 1)
            members.setdefault(int(index), {})[name] = value
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": members})
        self.generator.set_state(tensors["random/generator"])
        torch.set_rng_state(tensors["random/cpu"])
        if "random/cuda" in tensors and torch.cuda.is_available():
            torch.cuda.set_rng_state(tensors["random/cuda"])
        for name, value in read_json(folder / FIGURES).items():
            setattr(self, name, value)


def save_state(folder: Path, state: TrainingState) -> None:
    """Write the step's folder whole, then forget all but the newest ones."""
    with whole_folder(folder / f"step-{state.step:08d}", replace=True) as part:
        write_tensors(part / TENSORS, state.tensors())
        write_json(part / FIGURES, state.figures())
    for old in _states(folder)[:-KEPT]:
        shutil.rmtree(old)


def newest_state(folder: Path) -> Path | None:
    """Return the newest folder whose manifest holds; a half-written or damaged one is passed over."""
    return next((state for state in reversed(_states(folder)) if is_whole(state)), None)


def _states(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*")) if folder.is_dir() else []


def _group(tensors: dict[str, Tensor], group: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{group}/"): tensor for name, tensor in tensors.items() if name.startswith(f"{group}/")}
