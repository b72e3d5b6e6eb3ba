"""How a network is taught, checked before anything is.

plan = TrainingPlan(steps=4000, learning_rate=3e-4, accumulate=4, amp="bf16", workers=2)
plan.learning_rate_at(0)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from models.music.errors import BadConfig

Amp = Literal["", "bf16", "fp16"]
AT_LEAST = {"steps": 1, "accumulate": 1, "validate_every": 1, "save_every": 1, "sample_every": 0, "workers": 0}


@dataclass(frozen=True)
class TrainingPlan:
    """How a network is taught."""

    steps: int
    """Optimiser steps."""
    learning_rate: float = 3e-4
    """Peak learning rate."""
    min_learning_rate: float = 1e-5
    """Where the schedule ends."""
    warmup_steps: int = 0
    """Steps of linear warm-up."""
    schedule: Literal["cosine", "exponential", "constant"] = "cosine"
    """Shape of the learning rate after warm-up."""
    decay: float = 0.9999
    """Factor a step of the exponential schedule."""
    weight_decay: float = 0.0
    """AdamW's weight decay."""
    accumulate: int = 1
    """Batches a step: their gradients are averaged before the optimiser moves."""
    clip_norm: float = 1.0
    """Largest gradient norm; steep steps are scaled down to it."""
    skip_norm: float = 1e4
    """A gradient at least this steep, or not finite, is not applied at all."""
    ema_decay: float = 0.0
    """Decay of the weights' moving average; 0 keeps none."""
    amp: Amp = ""
    """Compute in bf16 or fp16 where it is safe (fp16 with a scaled loss); empty computes in float32 throughout."""
    validate_every: int = 500
    """Steps between validations."""
    save_every: int = 500
    """Steps between checkpoints."""
    sample_every: int = 0
    """Steps between samples to hear or see; 0 makes none."""
    patience: int = 0
    """Validations without improvement before stopping; 0 never stops early."""
    minutes: float = 0.0
    """Wall-clock limit, earlier runs included; 0 sets none."""
    workers: int = 0
    """Threads that make batches ahead; 0 makes each when its turn comes. The batches are the same."""
    threads: int = 0
    """CPU threads; a small network learns several times faster on 1 than on more; 0 leaves torch's choice."""
    seed: int = 0
    """Of batches, dropout and everything random in training."""

    def __post_init__(self) -> None:
        for name, low in AT_LEAST.items():
            if getattr(self, name) < low:
                raise BadConfig(f"{name} is {getattr(self, name)}; it must be at least {low}.")
        if not 0 < self.learning_rate < 10:
            raise BadConfig(f"learning_rate is {self.learning_rate}; it must be above 0 (try 3e-4).")
        if not 0 <= self.ema_decay < 1:
            raise BadConfig(f"ema_decay is {self.ema_decay}; it must be from 0 to below 1 (try 0.999).")
        if self.amp not in get_args(Amp):
            raise BadConfig(f"amp is {self.amp!r}; it must be bf16, fp16 or empty.")

    def learning_rate_at(self, step: int, spent: float = 0.0) -> float:
        """Return the rate of a step, counted from 0; a cosine ends with the steps or the minutes, whose share is spent."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        span, low = self.learning_rate - self.min_learning_rate, self.min_learning_rate
        if self.schedule == "constant":
            return self.learning_rate
        if self.schedule == "exponential":
            return span * self.decay ** (step - self.warmup_steps) + low
        done = (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps)
        return span * 0.5 * (1 + math.cos(math.pi * min(1.0, max(done, spent)))) + low
