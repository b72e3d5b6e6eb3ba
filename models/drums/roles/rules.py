"""The rule voice: five formulas over the features, two texture penalties, a softmax.

rules = RuleScoring()
raw, fired = rules.raw_scores(features)
p_rule = rules.probabilities(raw)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.drums.roles.types import DSPFeatures, Role, ScoreVector
from models.music.errors import BadConfig


@dataclass(frozen=True)
class RuleScoring:
    """Weights of the rules. Low, mid and high are band ratios; short and fast are 1 minus decay and attack."""

    core_low: float = 0.40
    """CORE: share of low band."""
    core_fast: float = 0.25
    """CORE: fast attack."""
    core_short: float = 0.25
    """CORE: short decay."""
    core_dull: float = 0.10
    """CORE: lack of sharpness."""
    accent_energy: float = 0.35
    """ACCENT: energy."""
    accent_sharp: float = 0.35
    """ACCENT: sharpness."""
    accent_mid: float = 0.20
    """ACCENT: share of mid band."""
    accent_short: float = 0.10
    """ACCENT: short decay."""
    motion_high: float = 0.40
    """MOTION: share of high band."""
    motion_quiet: float = 0.20
    """MOTION: lack of energy."""
    motion_short: float = 0.25
    """MOTION: short decay."""
    motion_sharp: float = 0.15
    """MOTION: sharpness."""
    fill_energy: float = 0.30
    """FILL: energy."""
    fill_long: float = 0.35
    """FILL: long decay."""
    fill_sharp: float = 0.25
    """FILL: sharpness."""
    fill_mid: float = 0.10
    """FILL: share of mid band."""
    texture_long: float = 0.45
    """TEXTURE: long decay."""
    texture_dull: float = 0.25
    """TEXTURE: lack of sharpness."""
    texture_deep: float = 0.20
    """TEXTURE: shares of low and mid band."""
    texture_quiet: float = 0.10
    """TEXTURE: lack of energy."""
    texture_penalty: float = 0.18
    """Taken from TEXTURE for percussive samples, and again for samples that are not noisy."""
    percussive_sharpness: float = 0.55
    """Percussive: sharper than this,"""
    percussive_decay: float = 0.35
    """and with a decay shorter than this."""
    noisy_flatness: float = 0.10
    """Not noisy: flatness below this."""
    temperature: float = 1.0
    """Of the softmax; below 1 makes the rules surer of themselves."""

    def __post_init__(self) -> None:
        if self.temperature <= 0:
            raise BadConfig(f"rule_scoring: temperature is {self.temperature}; it must be above 0 (try 1.0).")

    def raw_scores(self, f: DSPFeatures) -> tuple[ScoreVector, list[str]]:
        """Return the scores before the softmax and the names of the penalties that fell."""
        low, mid, high = f.low_ratio, f.mid_ratio, f.high_ratio
        fast, short, dull, quiet = 1 - f.attack, 1 - f.decay, 1 - f.sharpness, 1 - f.energy
        core = self.core_low * low + self.core_fast * fast + self.core_short * short + self.core_dull * dull
        accent = (
            self.accent_energy * f.energy
            + self.accent_sharp * f.sharpness
            + self.accent_mid * mid
            + self.accent_short * short
        )
        motion = (
            self.motion_high * high
            + self.motion_quiet * quiet
            + self.motion_short * short
            + self.motion_sharp * f.sharpness
        )
        fill = (
            self.fill_energy * f.energy + self.fill_long * f.decay + self.fill_sharp * f.sharpness + self.fill_mid * mid
        )
        texture = (
            self.texture_long * f.decay
            + self.texture_dull * dull
            + self.texture_deep * (low + mid)
            + self.texture_quiet * quiet
        )
        penalties = self._texture_penalties(f)
        texture -= self.texture_penalty * len(penalties)
        by_role = {
            Role.CORE: core,
            Role.ACCENT: accent,
            Role.MOTION: motion,
            Role.FILL: fill,
            Role.TEXTURE: texture,
        }
        return ScoreVector(tuple(by_role[role] for role in Role)), penalties

    def probabilities(self, raw: ScoreVector) -> ScoreVector:
        """Return p_rule."""
        scores = np.array(raw.values) / self.temperature
        shares = np.exp(scores - scores.max())
        return ScoreVector(tuple(shares / shares.sum()))

    def _texture_penalties(self, f: DSPFeatures) -> list[str]:
        percussive = f.sharpness > self.percussive_sharpness and f.decay < self.percussive_decay
        not_noisy = f.flatness < self.noisy_flatness
        return [name for name, fell in (("percussive", percussive), ("not_noisy", not_noisy)) if fell]
