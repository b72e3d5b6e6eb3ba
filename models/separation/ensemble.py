"""Several separators that play as one: the weighted average of their stems.

    load_separator("htdemucs:2,models/mine")      # names or folders with commas between; a weight is 1 unless told

They hear the same pieces in step, so that memory depends on their windows and not on the song. They must agree on stems,
rate and channels.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.music.errors import BadInput
from models.separation.overlap import Samples

if TYPE_CHECKING:
    from models.separation.stems import Separator


OVER = np.zeros((0, 0, 0), np.float32)
"""What comes after a song's last part."""


def members(model: str) -> dict[str, float]:
    """Read "one:2,two" as {"one": 2.0, "two": 1.0}."""
    named: dict[str, float] = {}
    for word in model.split(","):
        name, _, weight = word.strip().rpartition(":")
        if not name or not _is_number(weight):
            name, weight = word.strip(), "1"
        if not name or name in named or not float(weight) > 0:
            raise BadInput(
                f"{model}: {word.strip() or 'an empty name'!r} among its models; name each once, weights above 0."
            )
        named[name] = float(weight)
    return named


@dataclass(frozen=True)
class Ensemble:
    """Separators and how much each counts."""

    models: tuple[Separator, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, models: Mapping[str, tuple[Separator, float]]) -> Ensemble:
        """Put named models together, if they fit."""
        (first, (lead, _)), *others = models.items()
        for name, (model, _) in others:
            for what, ours, theirs in (
                ("the stems", list(lead.stems), list(model.stems)),
                ("a rate of", lead.rate_hz, model.rate_hz),
                ("channels:", lead.channels, model.channels),
            ):
                if ours != theirs:
                    raise BadInput(f"{name} has {what} {theirs}, {first} {ours}; only models that agree play together.")
        total = sum(weight for _, weight in models.values())
        return cls(tuple(m for m, _ in models.values()), tuple(weight / total for _, weight in models.values()))

    @property
    def stems(self) -> Sequence[str]:
        return self.models[0].stems

    @property
    def rate_hz(self) -> int:
        return self.models[0].rate_hz

    @property
    def channels(self) -> int:
        return self.models[0].channels

    @property
    def memory_mb(self) -> int:
        return sum(model.memory_mb for model in self.models)

    def parts(self, song: Iterator[Samples], middle: float, spread: float) -> Iterator[Samples]:
        """Average what each makes of the same song, as far as all have come."""
        copies = itertools.tee(song, len(self.models))
        played = [model.parts(copy, middle, spread) for model, copy in zip(self.models, copies, strict=True)]
        weights, held = np.array(self.weights, np.float32), [next(parts) for parts in played]
        while frames := min(part.shape[-1] for part in held):
            yield np.tensordot(weights, np.stack([part[..., :frames] for part in held]), 1)
            held = [
                part[..., frames:] if part.shape[-1] > frames else next(parts, OVER)
                for part, parts in zip(held, played, strict=True)
            ]


def _is_number(word: str) -> bool:
    try:
        return float(word) == float(word)
    except ValueError:
        return False
