"""The whole state of a training, as folders that are complete or not there.

state = TrainingState(network, optimiser, scaler)
save_state(folder, state)                     # folder/step-00000500, the newest two are kept
if found := newest_state(folder): state.restore(found)

Random numbers are no part of it: those of a step come from the seed and the step (models/learning/batches.py). Frozen
weights are not either, only their digest: whoever resumes brings the same ones.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.learning.checkpoint import load_weights, read_tensors, write_tensors
from models.music.errors import BadInput
from models.music.files import is_whole, read_json, whole_folder, write_json

TENSORS, FIGURES = "state.safetensors", "state.json"
KEPT = 2


@dataclass
class TrainingState:
    """Everything the next step depends on."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    ema: dict[str, Tensor] | None = None
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    step: int = 0
    stale: int = 0
    """Validations since the best one."""
    seconds: float = 0.0
    frozen: str = field(init=False)
    """Digest of the weights that are not taught."""

    def __post_init__(self) -> None:
        self.frozen = digest_of(frozen_weights(self.network))

    def tensors(self) -> dict[str, Tensor]:
        groups = {"network": taught_weights(self.network), "ema": self.ema or {}, "best": self.best_weights}
        flat = {f"{group}/{name}": tensor for group, members in groups.items() for name, tensor in members.items()}
        for index, members in self.optimiser.state_dict()["state"].items():
            flat |= {f"optimiser/{index}/{name}": torch.as_tensor(value) for name, value in members.items()}
        return flat

    def figures(self) -> dict[str, Any]:
        names = ("best", "history", "step", "stale", "seconds", "frozen")
        return {**{name: getattr(self, name) for name in names}, "scaler": self.scaler.state_dict()}

    def restore(self, folder: Path) -> None:
        figures, tensors = read_json(folder / FIGURES), read_tensors(folder / TENSORS)
        if figures.pop("frozen") != self.frozen:
            raise BadInput(
                f"{folder}: was taught beside other frozen weights than the network has now."
                " Give the network that it began with, or another folder to begin anew."
            )
        load_weights(self.network, {**frozen_weights(self.network), **_group(tensors, "network")}, folder)
        device = next(self.network.parameters()).device
        self.ema = {k: v.to(device) for k, v in _group(tensors, "ema").items()} or None
        self.best_weights = {k: v.to(device) for k, v in _group(tensors, "best").items()}
        members: dict[int, dict[str, Tensor]] = {}
        for key, value in _group(tensors, "optimiser").items():
            index, name = key.split("/", 1)
            members.setdefault(int(index), {})[name] = value
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": members})
        if scale := figures.pop("scaler"):
            self.scaler.load_state_dict(scale)
        for name, value in figures.items():
            setattr(self, name, value)


def frozen_weights(network: nn.Module) -> dict[str, Tensor]:
    """The parameters that ask for no gradient, by their names in the state dict."""
    frozen = {name for name, weight in network.named_parameters(remove_duplicate=False) if not weight.requires_grad}
    return {name: tensor for name, tensor in network.state_dict().items() if name in frozen}


def taught_weights(network: nn.Module) -> dict[str, Tensor]:
    """Everything else that a network keeps: what is taught, and what it counts by itself (running means, steps)."""
    frozen = frozen_weights(network)
    return {name: tensor for name, tensor in network.state_dict().items() if name not in frozen}


def digest_of(weights: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16]


def save_state(folder: Path, state: TrainingState) -> None:
    """Write the step's folder whole, then forget all but the newest ones, and what killed trainings left half written."""
    with whole_folder(folder / f"step-{state.step:08d}", replace=True) as part:
        write_tensors(part / TENSORS, state.tensors())
        write_json(part / FIGURES, state.figures())
    for old in [*_states(folder)[:-KEPT], *folder.glob(".step-*")]:
        shutil.rmtree(old)


def newest_state(folder: Path) -> Path | None:
    """Return the newest folder whose manifest holds; a half-written or damaged one is passed over."""
    return next((state for state in reversed(_states(folder)) if is_whole(state)), None)


def _states(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*")) if folder.is_dir() else []


def _group(tensors: dict[str, Tensor], group: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{group}/"): tensor for name, tensor in tensors.items() if name.startswith(f"{group}/")}
