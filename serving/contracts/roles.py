"""The role model on the wire: a one-shot in, its role and how sure that is out.

reply = roles(asker, audio)                 # float32[t] at 16 kHz
reply.role, reply.scores, reply.confidence
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from serving.asker import Asker
from serving.contract import Axis, ModelContract, Tensor

ROLE_NAMES: tuple[str, ...] = ("CORE", "ACCENT", "MOTION", "FILL", "TEXTURE")
"""The order of the scores; `role` is the place in this tuple."""
RATE_HZ, SECONDS, N_FEATURES, N_TRUST = 16_000, 10, 11, 19
_TAP_S = np.arange(1600) / RATE_HZ

ROLES = ModelContract(
    name="roles",
    inputs=(
        Tensor("audio", "FP32", (Axis("n", SECONDS * RATE_HZ),)),
        Tensor("features", "FP32", (N_FEATURES,), low=0.0, high=1.0, optional=True),
    ),
    outputs=(
        Tensor("scores", "FP32", (len(ROLE_NAMES),), low=0.0, high=1.0, tolerance=1e-3),
        Tensor("role", "INT32", (1,), low=0, high=len(ROLE_NAMES) - 1),
        Tensor("confidence", "FP32", (1,), low=0.0, high=1.0, tolerance=1e-3),
        Tensor("learned", "FP32", (len(ROLE_NAMES),), low=0.0, high=1.0, tolerance=1e-3),
        Tensor("trust", "FP32", (N_TRUST,), tolerance=1e-3),
    ),
    canary={"audio": np.sin(2 * np.pi * 60 * _TAP_S) * np.exp(-30 * _TAP_S)},
    max_batch=32,
)


@dataclass(frozen=True)
class RolesReply:
    """What a one-shot does in a beat."""

    scores: dict[str, float]
    """By role, in the order of ROLE_NAMES; they sum to 1."""
    role: str
    confidence: float
    """Probability that the role is right."""
    learned: NDArray[np.float32]
    """float32[5]: what the learned scorer says before the jury, for whoever has voices of his own to weigh it with."""
    trust: NDArray[np.float32]
    """float32[19]: how far the jury heeds the scorer beside the rules, role by role, and how sure it then is."""
    model_version: int


def roles(
    asker: Asker, audio: ArrayLike, features: ArrayLike | None = None, deadline_s: float | None = None
) -> RolesReply:
    """Ask for the role of a one-shot: float32[t] at 16 kHz, and its eleven features where they are known."""
    arrays = {"audio": np.asarray(audio, np.float32)}
    if features is not None:
        arrays["features"] = np.asarray(features, np.float32)
    reply = asker.ask(ROLES, arrays, deadline_s)
    scores = dict(zip(ROLE_NAMES, map(float, reply.arrays["scores"]), strict=True))
    role, confidence = ROLE_NAMES[int(reply.arrays["role"][0])], float(reply.arrays["confidence"][0])
    return RolesReply(scores, role, confidence, reply.arrays["learned"], reply.arrays["trust"], reply.model_version)
