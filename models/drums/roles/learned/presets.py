"""How much the learned voice hears, by name: read_preset("laptop").steps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.music.config import from_mapping, nearest, read_yaml
from models.music.errors import BadConfig

PRESETS = Path(__file__).with_name("presets.yaml")


@dataclass(frozen=True)
class RolePreset:
    """The size of a training."""

    practice_sounds: int
    """Synthesised sounds of every kind, and of every recipe of the palette, to learn from besides the given ones."""
    variants: int
    """Variations of every sound."""
    steps: int
    """How long a listener learns."""


def read_preset(name: str) -> RolePreset:
    """Read a preset of presets.yaml by its name."""
    presets = read_yaml(PRESETS)
    if name not in presets:
        raise BadConfig(f"preset {name!r}: {nearest(name, presets)}.")
    return from_mapping(RolePreset, presets[name], f"{PRESETS.name}: {name}")
