"""Where the weights of a demucs model lie: a folder, the hub's cache, or the hub.

    find_bag("/models/my-htdemucs")      # a folder: a bag (.yaml) or one model (.safetensors or .th)
    find_bag("htdemucs")                 # pretrained: from the cache, fetched once when online

The hub's own library asks an unreachable hub six times in 25 s; here one short knock comes first, so that without a
network the way out is said within seconds. HF_HUB_OFFLINE=1 does not knock, HF_HUB_ETAG_TIMEOUT waits longer.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.music.config import read_yaml
from models.music.errors import BadInput

HUB_OWNER = "adefossez"
PATIENCE_S = 2.0
WAY_OUT = (
    "Give a folder with the model, fetch it once with network, or take --model separator, which comes with Jamflow."
)


class NotHere(BadInput):
    """A pretrained model is neither cached nor to be had now; `trouble` says why, without the way out."""

    def __init__(self, trouble: str) -> None:
        super().__init__(f"{trouble}. {WAY_OUT}")
        self.trouble = trouble


@dataclass(frozen=True)
class Bag:
    """Files of weights whose answers are averaged."""

    members: tuple[Path, ...]
    weights: list[list[float]] | None = None
    """How much of each stem is taken from each member; None takes all alike."""
    segment: float | None = None


def find_bag(model: str | os.PathLike[str]) -> Bag:
    """Look in a local folder when there is one of that name, for a pretrained model otherwise."""
    place = Path(model).expanduser()
    return _in_folder(place) if place.is_dir() else _pretrained(str(model))


def _in_folder(folder: Path) -> Bag:
    """Take a bag or a single model; `repo` of demucs, without its pickles."""
    weights = {file.stem.rsplit("-", 1)[0]: file for file in sorted(folder.glob("*.th"))}
    weights |= {file.stem: file for file in sorted(folder.glob("*.safetensors"))}
    bags = sorted(folder.glob("*.yaml"))
    if bags:
        return _bag(bags[0], lambda signature: _wanted(weights, signature, folder))
    if len(weights) != 1:
        raise BadInput(f"{folder}: {len(weights)} models and no bag (.yaml); one of either is needed. {WAY_OUT}")
    return Bag(tuple(weights.values()))


def _wanted(weights: dict[str, Path], signature: str, folder: Path) -> Path:
    if signature not in weights:
        raise BadInput(f"{folder}: its bag names {signature!r}, which is not there. {WAY_OUT}")
    return weights[signature]


def _bag(definition: Path, find: Callable[[str], Path]) -> Bag:
    bag = read_yaml(definition)
    if not isinstance(bag.get("models"), list) or not bag["models"]:
        raise BadInput(f"{definition.name}: no list of models in it. {WAY_OUT}")
    return Bag(tuple(find(str(signature)) for signature in bag["models"]), bag.get("weights"), bag.get("segment"))


def _pretrained(name: str) -> Bag:
    """Take a named model of the hub, each file from the cache when it is there."""
    if os.sep in name or name.startswith(("~", ".")):
        raise BadInput(f"{name}: no such folder. {WAY_OUT}")
    repository = f"{HUB_OWNER}/{hub_name(name)}"
    bag = _cached_or_fetched(name, repository, f"{name}.yaml")
    return _bag(bag, lambda signature: _cached_or_fetched(name, repository, f"{signature}.safetensors"))


def hub_name(name: str) -> str:
    """Name the hub's repository as demucs does, without importing it and torch."""
    if name == "htdemucs" or name.startswith("htdemucs_"):
        return name.replace("htdemucs", "HTDemucs", 1).replace("_", "-", 1)
    return f"Demucs-{name}"


def _cached_or_fetched(name: str, repository: str, file: str) -> Path:
    from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache

    cached = try_to_load_from_cache(repository, file)
    if isinstance(cached, str):
        return Path(cached)
    if constants.HF_HUB_OFFLINE:
        raise NotHere(f"{name}: {file} is not cached and HF_HUB_OFFLINE is set")
    patience_s = float(os.environ.get("HF_HUB_ETAG_TIMEOUT") or PATIENCE_S)
    if trouble := _no_answer(constants.ENDPOINT, patience_s):
        raise NotHere(f"{name}: {file} is not cached and {constants.ENDPOINT} does not answer ({trouble})")
    try:
        return Path(hf_hub_download(repository, file))
    except Exception as error:  # the hub's own errors, those of two HTTP libraries and of the disk
        raise NotHere(f"{name}: {file} could not be fetched ({_first_line(error)})") from error


def _no_answer(address: str, patience_s: float) -> str:
    """Knock once through the hub's own client, proxies and all; say what was wrong, or nothing."""
    from huggingface_hub import get_session

    came: list[str] = []

    def knock() -> None:
        try:
            get_session().head(address, timeout=patience_s)
            came.append("")
        except Exception as error:  # those of an HTTP library, and of the sockets below it
            came.append(_first_line(error))

    # A thread, since a name server that is not there obeys no time-out of the client's.
    waiting = threading.Thread(target=knock, daemon=True)
    waiting.start()
    waiting.join(patience_s)
    return came[0] if came else f"silent for {patience_s:g} s"


def _first_line(error: Any) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
