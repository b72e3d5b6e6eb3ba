"""The record of every family of models: what it takes and gives, when a new one may be served, what it comes with.

    family("groove").contract, .figures, .rules, .budget_ms, .starter, .requires

Pipelines, gate, registry, server and images read it; a new family is one more entry here. It imports nothing heavy.

    python -m serving.families          # the packages that the backends need, for Triton's image
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import models
from models.drums.roles import figures as roles
from models.groove import figures as groove
from models.jam import figures as jam
from models.music.config import nearest
from models.music.errors import BadInput
from models.music.figures import Figure
from models.separation import figures as separation
from models.separation.counterfactual import figures as counterfactual
from serving.contract import ModelContract
from serving.contracts.counterfactual import COUNTERFACTUAL
from serving.contracts.groove import GROOVE
from serving.contracts.jam import JAM
from serving.contracts.roles import ROLES
from serving.contracts.separator import SEPARATOR
from serving.contracts.separator_live import SEPARATOR_LIVE


@dataclass(frozen=True)
class Rule:
    """One of a family's figures that must not get worse."""

    metric: str
    tolerance: float = 0.02
    """How much worse than the champion is still let through, as a share of the champion's figure."""
    limit: float | None = None
    """A bar that holds without a champion too."""


@dataclass(frozen=True)
class Family:
    """What the platform knows of one kind of model."""

    contract: ModelContract
    figures: Mapping[str, Figure]
    """What its numbers are called, and which way is better."""
    rules: tuple[Rule, ...]
    """What a challenger may not do worse than the champion, on the same held-out data."""
    budget_ms: float
    """The slowest answer (p95, in process) that the gate lets through."""
    requires: tuple[str, ...]
    """Packages that its backend imports, beside numpy."""
    starter: str = ""
    """The folder below models/ with the model that comes with Jamflow, if one does."""

    @property
    def name(self) -> str:
        return self.contract.name

    @property
    def starter_folder(self) -> Path | None:
        return Path(models.__path__[0], self.starter) if self.starter else None


FAMILIES: dict[str, Family] = {
    each.name: each
    for each in (
        Family(
            GROOVE,
            groove.FIGURES,
            rules=(
                Rule("timing_mae_ms"),
                Rule("velocity_mae"),
                Rule("timing_kl", tolerance=0.25),
                Rule("velocity_kl", tolerance=0.25),
            ),
            budget_ms=400.0,
            requires=("torch", "safetensors"),
            starter="groove/starter",
        ),
        Family(
            ROLES,
            roles.FIGURES,
            rules=(Rule("macro_accuracy"), Rule("calibration_error", tolerance=0.25)),
            budget_ms=200.0,
            requires=("torch", "safetensors", "scipy", "soundfile", "soxr", "PyYAML", "transformers"),
            starter="drums/roles/starter",
        ),
        Family(
            SEPARATOR,
            separation.FIGURES,
            rules=(Rule("usdr"), Rule("si_sdr")),
            budget_ms=5000.0,
            requires=("torch", "safetensors", "soundfile", "soxr", "PyYAML", "demucs"),
        ),
        Family(
            JAM,
            jam.FIGURES,
            rules=(Rule("nll"), Rule("chord_gap_nats", tolerance=0.1, limit=0.0)),
            budget_ms=400.0,
            requires=("torch", "safetensors", "PyYAML", "onnx", "onnxruntime"),
            starter="jam/starter",
        ),
        Family(
            SEPARATOR_LIVE,
            separation.FIGURES,
            rules=(Rule("usdr"), Rule("si_sdr")),
            budget_ms=50.0,
            requires=("torch", "safetensors", "soundfile", "soxr", "PyYAML"),
        ),
        Family(
            COUNTERFACTUAL,
            counterfactual.FIGURES,
            rules=(Rule("usdr_vocals"), Rule("usdr_instrumental")),
            budget_ms=5000.0,
            requires=("torch", "safetensors", "soundfile", "soxr", "PyYAML"),
        ),
    )
}


def family(name: str) -> Family:
    """Look a family up by its registered name."""
    if name not in FAMILIES:
        raise BadInput(f"no served model is called {name!r}; {nearest(name, FAMILIES)}.")
    return FAMILIES[name]


if __name__ == "__main__":
    print(*sorted({package for each in FAMILIES.values() for package in each.requires}))
