"""How a separator that draws its answer goes about it: in how many steps, and from which dice.

    model = sampled(load_separator("counterfactual-model"), Sampling(steps=50, seed=7))
    model = sampled(load_separator("counterfactual-model"), Sampling(preview=True))

A separator that computes its answer has neither steps nor dice, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from models.music.errors import BadInput
from models.separation.stems import Separator


@dataclass(frozen=True)
class Sampling:
    """What a listener may choose."""

    steps: int = 0
    """More are better and slower; 0 takes the model's own number."""
    seed: int = 0
    """The same seed, the same samples."""
    preview: bool = False
    """As few steps as the model takes for a quick look."""

    def __post_init__(self) -> None:
        if self.steps < 0 or self.seed < 0:
            raise BadInput(f"steps is {self.steps}, seed {self.seed}; give 0 or more.")
        if self.steps and self.preview:
            raise BadInput(f"a preview has its own number of steps, and {self.steps} are asked for. Give one of both.")

    def told(self, model: str) -> str:
        """Name a model and what was chosen."""
        chosen = {"preview": self.preview, f"steps {self.steps}": self.steps, f"seed {self.seed}": self.seed}
        return ", ".join([model, *(words for words, given in chosen.items() if given)])


@runtime_checkable
class Sampler(Protocol):
    """An engine that draws its answer."""

    def sampled(self, how: Sampling) -> Any: ...


def sampled(model: Separator, how: Sampling) -> Separator:
    """Let a separator draw its answer as it was chosen."""
    if how == Sampling():
        return model
    if not isinstance(model, Sampler):
        raise BadInput(
            "steps, seed and preview: this model draws nothing. Leave them out, or give a counterfactual model."
        )
    return model.sampled(how)
