"""A trained soloist's folder: the base's weights, and the styles that ride on them.

    repertoire = read_repertoire("jam-model")
    repertoire.names                                  # ("any", "swing", "ballad"): a style is told by its place
    decoder = repertoire.decoder(1)                   # ready to be played with; made once
    save_repertoire("out", repertoire.with_style("bebop", Style(weights, scale=2.0)))

weights.safetensors holds the base as llama.… and each style as styles/<name>/llama.…: a LoRA is half a megabyte.
"""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from models.jam.config import KIND, JamConfig
from models.jam.decode import Decoder, OnnxDecoder
from models.jam.graph import Precision
from models.jam.network import merged
from models.jam.torch_decode import TorchDecoder
from models.learning.checkpoint import CONFIG, WEIGHTS, read_tensors, write_tensors
from models.music.config import from_mapping, nearest
from models.music.errors import BadInput
from models.music.files import check_folder, read_mapping, whole_folder, write_json

ANY = "any"
STYLES = "styles/"


@dataclass(frozen=True)
class Style:
    """What bends a base's projections towards one way of playing."""

    weights: Mapping[str, Tensor]
    """Two thin matrices for each projection, see network.style_weights."""
    scale: float


@dataclass(frozen=True)
class Repertoire:
    """A base and its styles."""

    config: JamConfig
    base: Mapping[str, Tensor]
    styles: Mapping[str, Style] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    _decoders: dict[tuple[int, str], Decoder] = field(default_factory=dict, repr=False)
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Every style by its place: any, those the base was taught by name, and those that only have a LoRA."""
        return (ANY, *self.config.styles, *(name for name in self.styles if name not in self.config.styles))

    def place_of(self, style: str) -> int:
        """The place of a style's name."""
        if style not in self.names:
            raise BadInput(f"style {style!r}: {nearest(style, self.names)}.")
        return self.names.index(style)

    def word_of(self, place: int) -> int:
        """The number of the word by which the network is told a style."""
        return self.config.style_number(self._name(place))

    def weights(self, place: int) -> dict[str, Tensor]:
        """The network's weights when it plays a style."""
        style = self.styles.get(self._name(place))
        return merged(self.base, style.weights, style.scale) if style else dict(self.base)

    def decoder(self, place: int, precision: Precision | Literal[""] = "") -> Decoder:
        """What plays a style, on a GPU where there is one, else from 8-bit weights.

        Styles without a LoRA share one, and each is made when it is first asked for.
        """
        place = place if self._name(place) in self.styles else 0
        with self._lock:
            if (place, precision) not in self._decoders:
                self._decoders[place, precision] = self._decoder(self.weights(place), precision)
            return self._decoders[place, precision]

    def with_style(self, name: str, style: Style, **facts: Any) -> Repertoire:
        """The same base with one more style, or another one of that name."""
        return Repertoire(self.config, self.base, {**self.styles, name: style}, {**self.facts, **facts})

    def _decoder(self, weights: Mapping[str, Tensor], precision: Precision | Literal[""]) -> Decoder:
        if not precision and torch.cuda.is_available():
            return TorchDecoder(weights, self.config, "cuda", torch.bfloat16)
        arrays = {name: weight.float().numpy() for name, weight in weights.items()}
        return OnnxDecoder(arrays, self.config, precision or "int8")

    def _name(self, place: int) -> str:
        if not 0 <= place < len(self.names):
            known = ", ".join(f"{number} {name}" for number, name in enumerate(self.names))
            raise BadInput(f"jam: style is {place}; there are {known}.")
        return self.names[place]


def save_repertoire(folder: str | os.PathLike[str], repertoire: Repertoire) -> Path:
    """Write a folder whole, its weights in bfloat16."""
    tensors = dict(repertoire.base)
    for name, style in repertoire.styles.items():
        tensors |= {f"{STYLES}{name}/{key}": weight for key, weight in style.weights.items()}
    about = {
        "kind": KIND,
        "config": dataclasses.asdict(repertoire.config),
        "styles": {name: style.scale for name, style in repertoire.styles.items()},
        "facts": dict(repertoire.facts),
    }
    with whole_folder(folder, replace=True) as part:
        write_tensors(part / WEIGHTS, {name: tensor.to(torch.bfloat16) for name, tensor in tensors.items()})
        write_json(part / CONFIG, about)
    return Path(folder)


def read_repertoire(folder: str | os.PathLike[str]) -> Repertoire:
    """Read a folder, or say in a sentence why not."""
    folder = Path(folder)
    check_folder(folder)
    saved = read_mapping(folder / CONFIG)
    if saved.get("kind") != KIND:
        raise BadInput(f"{folder}: holds a {saved.get('kind')!r} model; a {KIND!r} model is needed. Give its folder.")
    try:
        config = from_mapping(JamConfig, saved["config"], f"{folder}: config")
        scales = {str(name): float(scale) for name, scale in saved["styles"].items()}
        facts = dict(saved["facts"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"{folder}: {CONFIG} lacks or misspells {error}. Fetch or make the folder again.") from error
    tensors = {name: tensor.float() for name, tensor in read_tensors(folder / WEIGHTS).items()}
    base = {name: tensor for name, tensor in tensors.items() if not name.startswith(STYLES)}
    styles = {name: Style(_below(tensors, f"{STYLES}{name}/"), scale) for name, scale in scales.items()}
    return Repertoire(config, base, styles, facts)


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
