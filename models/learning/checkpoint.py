"""A trained model is a folder: weights.safetensors, config.json and, written last, manifest.json. Never a pickle.

save_model(folder, network, config, kind="groove", data="groove midi", steps=4000)
network, facts = load_model(folder, "groove", GrooveConfig, GrooveVAE)
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.learning.processes import leads
from models.music.config import from_mapping
from models.music.errors import BadInput
from models.music.files import check_folder, read_mapping, whole_folder, write_json
from models.music.plain import reason

WEIGHTS, CONFIG = "weights.safetensors", "config.json"
C = TypeVar("C")
N = TypeVar("N", bound=nn.Module)


def save_model(
    folder: str | os.PathLike[str],
    network: nn.Module,
    config: Any,
    kind: str,
    *,
    store_as: torch.dtype | None = None,
    replace: bool = False,
    **facts: Any,
) -> Path:
    """Write a model folder whole; float weights are stored as `store_as` when given, facts go into config.json.

    Where several processes learnt it together, the first one writes.
    """
    if not leads():
        return Path(folder)
    with whole_folder(folder, replace=replace) as part:
        write_tensors(part / WEIGHTS, {name: _stored(t, store_as) for name, t in network.state_dict().items()})
        write_json(part / CONFIG, {"kind": kind, "config": dataclasses.asdict(config), "facts": facts})
    return Path(folder)


def load_model(
    folder: str | os.PathLike[str], kind: str, config_type: Callable[..., C], network_type: Callable[[C], N]
) -> tuple[N, dict[str, Any]]:
    """Return the network, in evaluation mode on the CPU, and the facts saved with it."""
    folder = Path(folder)
    check_folder(folder)
    saved = read_mapping(folder / CONFIG)
    if saved.get("kind") != kind:
        raise BadInput(f"{folder}: holds a {saved.get('kind')!r} model; a {kind!r} model is needed. Give its folder.")
    if not isinstance(saved.get("config"), dict) or not isinstance(saved.get("facts", {}), dict):
        raise BadInput(f"{folder}: {CONFIG} has no config to build a network of. Fetch or make the folder again.")
    config = from_mapping(config_type, saved["config"], f"{folder}: config")  # type: ignore[arg-type]
    try:
        network = network_type(config)
    except (RuntimeError, ValueError, TypeError, ArithmeticError, MemoryError) as error:
        raise BadInput(f"{folder}: no network can be built of its config ({reason(error)}). Fetch it again.") from error
    load_weights(network, read_tensors(folder / WEIGHTS), folder)
    return network.eval(), saved.get("facts", {})


def load_weights(network: nn.Module, weights: Mapping[str, Tensor], source: str | os.PathLike[str]) -> None:
    """Fill a network; missing, left-over or misshapen weights are named."""
    try:
        network.load_state_dict(dict(weights), strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split(":", 1)[-1].split())
        raise BadInput(f"{source}: the weights do not fit the network ({reason[:200]}). Train it again.") from error


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    try:
        save_file({name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}, path)
    except SafetensorError as error:
        code = int(found[1]) if (found := re.search(r"os error (\d+)", str(error))) else 0
        raise OSError(code, os.strerror(code) if code else str(error)) from error


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read safetensors and nothing else: a pickle is refused unread."""
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())
        raise BadInput(
            f"{path}: not safetensors ({reason}). Pickled weights are not loaded; convert them first."
        ) from error


def _stored(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    return tensor.to(dtype) if dtype and tensor.is_floating_point() else tensor
