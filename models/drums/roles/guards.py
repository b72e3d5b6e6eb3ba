"""Five guards that correct what rules and CLAP say where they are known to err; each can be switched on and off.

guarded, fired = Guards().apply(scores, features)       # fired: names of the guards that changed something
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.drums.roles.types import ROLES, DSPFeatures, ScoreVector
from models.music.errors import BadConfig

CORE, ACCENT, MOTION, FILL, TEXTURE = range(len(ROLES))
GUARDS = ("texture_suppress", "sustained_noise", "motion_minimum", "fill_conservative", "low_confidence_texture")


@dataclass(frozen=True)
class Guards:
    """Which guards stand, and where. They are asked in the order of their switches; decay is in windows of 0.60 s."""

    texture_suppress: bool = True
    """A sharp, short sound is hardly a texture."""
    sustained_noise: bool = True
    """Long noise is neither a kick nor a snare."""
    motion_minimum: bool = True
    """What is not high or not short hardly keeps things moving."""
    fill_conservative: bool = True
    """A fill must be clearly one; otherwise the second role takes it."""
    low_confidence_texture: bool = False
    """A texture that is hardly above the next role is weakened once more. Off: the rules are hardly ever surer than that."""

    texture_suppress_sharpness: float = 0.60
    """Sharper than this,"""
    texture_suppress_decay: float = 0.32
    """with a decay shorter than this:"""
    texture_suppress_factor: float = 0.60
    """TEXTURE is multiplied by this."""
    sustained_noise_decay: float = 0.70
    """Longer than this,"""
    sustained_noise_flatness: float = 0.25
    """noisier than this:"""
    sustained_noise_factor: float = 0.50
    """CORE and ACCENT are multiplied by this."""
    motion_minimum_high: float = 0.30
    """A smaller share of the high band than this,"""
    motion_minimum_decay: float = 0.95
    """or a longer decay than this:"""
    motion_minimum_factor: float = 0.70
    """MOTION is multiplied by this."""
    fill_conservative_score: float = 0.35
    """FILL needs more than this,"""
    fill_conservative_margin: float = 0.12
    """and to be ahead by more than this; otherwise it falls to just below the second."""
    low_confidence_margin: float = 0.12
    """TEXTURE ahead by less than this:"""
    low_confidence_factor: float = 0.85
    """TEXTURE is multiplied by this."""

    def __post_init__(self) -> None:
        for name in (f"{guard}_factor" for guard in ("texture_suppress", "sustained_noise", "motion_minimum")):
            _check_factor(name, getattr(self, name))
        _check_factor("low_confidence_factor", self.low_confidence_factor)

    def apply(self, scores: ScoreVector, features: DSPFeatures) -> tuple[ScoreVector, list[str]]:
        """Return the corrected, renormalised scores and the names of the guards that fired."""
        p, fired = np.array(scores.values), []
        for name in GUARDS:
            if not getattr(self, name):
                continue
            corrected = getattr(self, f"_{name}")(p, features)
            if corrected is not None:
                p, fired = corrected / corrected.sum(), [*fired, name]
        return ScoreVector(tuple(p)), fired

    def _texture_suppress(self, p: NDArray, f: DSPFeatures) -> NDArray | None:
        percussive = f.sharpness > self.texture_suppress_sharpness and f.decay < self.texture_suppress_decay
        return _scaled(p, self.texture_suppress_factor, TEXTURE) if percussive else None

    def _sustained_noise(self, p: NDArray, f: DSPFeatures) -> NDArray | None:
        noise = f.decay > self.sustained_noise_decay and f.flatness > self.sustained_noise_flatness
        return _scaled(p, self.sustained_noise_factor, CORE, ACCENT) if noise else None

    def _motion_minimum(self, p: NDArray, f: DSPFeatures) -> NDArray | None:
        moves = f.high_ratio >= self.motion_minimum_high and f.decay <= self.motion_minimum_decay
        return None if moves else _scaled(p, self.motion_minimum_factor, MOTION)

    def _fill_conservative(self, p: NDArray, f: DSPFeatures) -> NDArray | None:
        second = float(np.delete(p, FILL).max())
        if p[FILL] <= second:
            return None
        if p[FILL] > self.fill_conservative_score and p[FILL] - second > self.fill_conservative_margin:
            return None
        lowered = p.copy()
        lowered[FILL] = second * 0.999
        return lowered

    def _low_confidence_texture(self, p: NDArray, f: DSPFeatures) -> NDArray | None:
        ahead = p[TEXTURE] - float(np.delete(p, TEXTURE).max())
        return _scaled(p, self.low_confidence_factor, TEXTURE) if 0 < ahead < self.low_confidence_margin else None


def _check_factor(name: str, factor: float) -> None:
    if not 0 < factor <= 1:
        raise BadConfig(f"guards: {name} is {factor}; it must be above 0, and 1 changes nothing.")


def _scaled(p: NDArray, factor: float, *roles: int) -> NDArray:
    scaled = p.copy()
    scaled[list(roles)] *= factor
    return scaled
