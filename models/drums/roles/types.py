"""What the role system speaks in: roles, the eleven features, scores, a sample's result, the pools.

result = assigner.assign_file("hit.wav", "hit")
result.role, result.scores.confidence, result.scores.final.margin()
build_pools([result, ...]).as_dict()                # the content of pools_N.json
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.music.errors import BadInput


class Role(StrEnum):
    """What a one-shot does in a beat. The order is the order of every score vector."""

    CORE = "CORE"
    """Kicks: the pulse."""
    ACCENT = "ACCENT"
    """Snares and claps: the back-beat."""
    MOTION = "MOTION"
    """Hats and cymbals: what keeps moving."""
    FILL = "FILL"
    """Toms and percussion: what leads into the next bar."""
    TEXTURE = "TEXTURE"
    """Effects, tails and ambience."""


ROLES: tuple[Role, ...] = tuple(Role)


@dataclass(frozen=True)
class DSPFeatures:
    """The eleven features of a one-shot, each in 0..1."""

    energy: float
    """Largest RMS of a frame."""
    sharpness: float
    """Peak of the spectral flux: mean rise of the mel bands in dB, over the 80 dB they can rise."""
    attack: float
    """Onset to 90 % of the peak, in windows of 0.08 s."""
    decay: float
    """Peak to 30 % of it, in windows of 0.60 s."""
    low_ratio: float
    """Share of the power from 20 to 150 Hz."""
    mid_ratio: float
    """Share of the power from 150 to 2,000 Hz."""
    high_ratio: float
    """Share of the power from 2,000 to 8,000 Hz."""
    flatness: float
    """Spectral flatness, weighted by energy: 1 is white noise."""
    zero_crossing_rate: float
    """Crossings a sample, weighted by energy."""
    centroid: float
    """Spectral centroid, weighted by energy, over half the rate."""
    crest: float
    """Peak over RMS, in units of 40 dB."""

    def as_dict(self) -> dict[str, float]:
        return dataclasses.asdict(self)

    def as_array(self) -> NDArray[np.float32]:
        return np.array(dataclasses.astuple(self), np.float32)


FEATURES: tuple[str, ...] = tuple(f.name for f in dataclasses.fields(DSPFeatures))


@dataclass(frozen=True)
class ScoreVector:
    """One number a role, in the order of ROLES."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(float(v) for v in self.values))
        if len(self.values) != len(ROLES):
            raise BadInput(f"scores: {len(self.values)} values; there is one for each of {', '.join(ROLES)}.")

    def __getitem__(self, role: Role) -> float:
        return self.values[ROLES.index(role)]

    def __iter__(self) -> Iterator[float]:
        return iter(self.values)

    def argmax(self) -> Role:
        """The role with the highest score; the first one when equal."""
        return ROLES[int(np.argmax(self.values))]

    def sorted(self) -> tuple[tuple[Role, float], ...]:
        """Roles and scores, the highest first."""
        return tuple(sorted(zip(ROLES, self.values, strict=True), key=lambda pair: -pair[1]))

    def margin(self) -> float:
        """How far the highest score is above the second."""
        (_, first), (_, second), *_ = self.sorted()
        return first - second

    def as_dict(self) -> dict[str, float]:
        return {role.value: value for role, value in zip(ROLES, self.values, strict=True)}


@dataclass(frozen=True)
class ScoreBundle:
    """What each voice said, what became of it and how sure that is; a voice that did not speak is None."""

    rule: ScoreVector
    clap: ScoreVector | None
    learned: ScoreVector | None
    final: ScoreVector
    confidence: float
    """Probability that the role is right."""


@dataclass(frozen=True)
class SampleResult:
    """Everything known about one one-shot."""

    sample_id: str
    filepath: str
    role: Role
    scores: ScoreBundle
    features: DSPFeatures
    clap_similarities: Mapping[str, float] = field(default_factory=dict)
    """Cosine similarity to each role's prompt; empty without CLAP."""
    rule_raw_scores: Mapping[str, float] = field(default_factory=dict)
    """The rules' scores before the softmax."""
    debug: Mapping[str, Any] = field(default_factory=dict)
    """Why: guards that fired, penalties, weights of the voices, moves between pools."""

    def as_dict(self) -> dict[str, Any]:
        """Return the sample's entry of per_sample_N.json."""
        scores = self.scores
        voices = {"rule": scores.rule, "clap": scores.clap, "learned": scores.learned, "final": scores.final}
        return {
            "sample_id": self.sample_id,
            "filepath": self.filepath,
            "role": self.role.value,
            "confidence": scores.confidence,
            "margin": scores.final.margin(),
            "scores": {name: vector.as_dict() for name, vector in voices.items() if vector is not None},
            "features": self.features.as_dict(),
            "clap_similarities": dict(self.clap_similarities),
            "rule_raw_scores": dict(self.rule_raw_scores),
            "debug": dict(self.debug),
        }


@dataclass(frozen=True)
class RolePools:
    """The samples of each role, the surest first."""

    pools: Mapping[Role, tuple[SampleResult, ...]]

    def __getitem__(self, role: Role) -> tuple[SampleResult, ...]:
        return self.pools[role]

    @property
    def counts(self) -> dict[str, int]:
        return {role.value: len(self.pools[role]) for role in ROLES}

    def as_dict(self) -> dict[str, Any]:
        """Return the content of pools_N.json."""
        entries = {f"{role.value}_POOL": [_entry(sample) for sample in self.pools[role]] for role in ROLES}
        return {**entries, "counts": self.counts}


def _entry(sample: SampleResult) -> dict[str, Any]:
    confidence = round(sample.scores.confidence, 6)
    return {"sample_id": sample.sample_id, "filepath": sample.filepath, "confidence": confidence}
