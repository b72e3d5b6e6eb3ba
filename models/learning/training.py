"""One training loop for every network: AMP, EMA, clipping, warm-up, early stopping, exact resume.

    trained = train(GrooveLesson(data, config), TrainingPlan(steps=4000), "runs/groove")

Give it the same folder again and it goes on where it was; on a CPU the result is the same bit for bit as if it had
never stopped. Under torchrun (a process group is initialised) every process trains on its own batches and shares
gradients; the first one writes.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, distributed, nn

from models.learning.progress import ProgressBar
from models.learning.resume import TrainingState, newest_state, save_state
from models.music.errors import BadConfig, JamflowError

log = logging.getLogger(__name__)
MAX_SKIPPED_IN_A_ROW = 20


class Lesson(Protocol):
    """What a network is to learn. Everything random comes from the generator."""

    @property
    def network(self) -> nn.Module: ...

    def batch(self, step: int, generator: torch.Generator) -> Any:
        """Return the batch of a step: tensors, or tuples and dicts of them."""
        ...

    def loss(self, network: nn.Module, batch: Any, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        """Return the loss to minimise and figures to show."""
        ...

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return figures on held-out data; "loss" decides which weights are best."""
        ...


class Callback(Protocol):
    def on_metrics(self, step: int, metrics: dict[str, float]) -> None: ...


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
    clip_norm: float = 1.0
    """Largest gradient norm; steep steps are scaled down to it."""
    skip_norm: float = 1e4
    """A gradient at least this steep, or not finite, is not applied at all."""
    ema_decay: float = 0.0
    """Decay of the weights' moving average; 0 keeps none."""
    amp: bool = False
    """Compute in bfloat16 where it is safe."""
    validate_every: int = 500
    """Steps between validations."""
    save_every: int = 500
    """Steps between checkpoints."""
    patience: int = 0
    """Validations without improvement before stopping; 0 never stops early."""
    minutes: float = 0.0
    """Wall-clock limit, earlier runs included; 0 sets none."""
    threads: int = 0
    """CPU threads; a small network learns several times faster on 1 than on more; 0 leaves torch's choice."""
    seed: int = 0
    """Of batches, dropout and everything random in training."""

    def __post_init__(self) -> None:
        checks = [
            ("steps", self.steps, 1),
            ("validate_every", self.validate_every, 1),
            ("save_every", self.save_every, 1),
        ]
        for name, value, low in checks:
            if value < low:
                raise BadConfig(f"{name} is {value}; it must be at least {low}.")
        if not 0 < self.learning_rate < 10:
            raise BadConfig(f"learning_rate is {self.learning_rate}; it must be above 0 (try 3e-4).")
        if not 0 <= self.ema_decay < 1:
            raise BadConfig(f"ema_decay is {self.ema_decay}; it must be from 0 to below 1 (try 0.999).")

    def learning_rate_at(self, step: int) -> float:
        """Return the rate of a step, counted from 0."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        span, low = self.learning_rate - self.min_learning_rate, self.min_learning_rate
        if self.schedule == "constant":
            return self.learning_rate
        if self.schedule == "exponential":
            return span * self.decay ** (step - self.warmup_steps) + low
        done = (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps)
        return span * 0.5 * (1 + math.cos(math.pi * min(1.0, done))) + low


@dataclass
class Trained:
    """What came out of training."""

    network: nn.Module
    """In evaluation mode, with the best weights that validation saw."""
    best: dict[str, float]
    history: list[dict[str, float]]
    """Training and validation figures by step."""
    steps: int
    seconds: float
    stopped_early: bool = field(default=False)


def train(
    lesson: Lesson,
    plan: TrainingPlan,
    folder: str | Path,
    callbacks: Sequence[Callback] = (),
    device: str | torch.device | None = None,
) -> Trained:
    """Teach until the plan's steps, minutes or patience end; resume from the folder's newest whole checkpoint."""
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    devices = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), on_threads(plan.threads):
        return _Training(lesson, plan, Path(folder), callbacks, device).run()


class _Training:
    def __init__(
        self, lesson: Lesson, plan: TrainingPlan, folder: Path, callbacks: Sequence[Callback], device: torch.device
    ) -> None:
        self.lesson, self.plan, self.folder, self.callbacks, self.device = lesson, plan, folder, callbacks, device
        rank = distributed.get_rank() if distributed.is_initialized() else 0
        self.leads = rank == 0
        torch.manual_seed(plan.seed + rank)
        network = lesson.network.to(device).train()
        optimiser = torch.optim.AdamW(network.parameters(), plan.learning_rate, weight_decay=plan.weight_decay)
        generator = torch.Generator().manual_seed(plan.seed + rank)
        self.state = TrainingState(network, optimiser, generator, ema=_copy(network) if plan.ema_decay else None)
        if found := newest_state(folder):
            self.state.restore(found)
            log.info("resumed from step %d (%s)", self.state.step, found.name)
            if rank:  # the checkpoint holds the first process's random numbers; the others draw their own
                generator.manual_seed(plan.seed + rank + 7919 * self.state.step)
        self.started = time.monotonic() - self.state.seconds
        self.skipped = 0
        self.taught = network if not distributed.is_initialized() else nn.parallel.DistributedDataParallel(network)

    def run(self) -> Trained:
        plan, state = self.plan, self.state
        with ProgressBar(plan.steps, state.step, visible=self.leads) as show:
            while state.step < plan.steps and not self.stopped_early and not self.out_of_time:
                figures = self.one_step()
                last = state.step == plan.steps or self.out_of_time
                if state.step % plan.validate_every == 0 or last:
                    self.validate(figures)
                if self.leads and (state.step % plan.save_every == 0 or last or self.stopped_early):
                    state.seconds = time.monotonic() - self.started
                    save_state(self.folder, state)
                show(state.step, figures)
        network = state.network
        if state.best_weights:
            network.load_state_dict(state.best_weights)
        seconds = time.monotonic() - self.started
        return Trained(network.eval(), state.best, state.history, state.step, seconds, self.stopped_early)

    @property
    def stopped_early(self) -> bool:
        return bool(self.plan.patience) and self.state.stale >= self.plan.patience

    @property
    def out_of_time(self) -> bool:
        over = bool(self.plan.minutes) and time.monotonic() - self.started > self.plan.minutes * 60
        return _any_process(over, self.device) if self.plan.minutes else False

    def one_step(self) -> dict[str, float]:
        plan, state = self.plan, self.state
        rate = plan.learning_rate_at(state.step)
        for group in state.optimiser.param_groups:
            group["lr"] = rate
        batch = _moved(self.lesson.batch(state.step, state.generator), self.device)
        with torch.autocast(self.device.type, torch.bfloat16) if plan.amp else nullcontext():
            loss, figures = self.lesson.loss(self.taught, batch, state.generator)
        state.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = float(nn.utils.clip_grad_norm_(state.network.parameters(), plan.clip_norm))
        if math.isfinite(norm) and norm < plan.skip_norm:
            state.optimiser.step()
            self.skipped = 0
        else:
            self.skip(norm)
        state.step += 1
        if state.ema is not None:
            decay = min(plan.ema_decay, (1 + state.step) / (10 + state.step))  # the average forgets its random start
            averaged, fresh = state.ema, state.network.state_dict()
            for name, value in averaged.items():
                value.lerp_(fresh[name], 1 - decay) if value.is_floating_point() else value.copy_(fresh[name])
        return {"train_loss": float(loss.detach()), "learning_rate": rate, "gradient_norm": norm, **figures}

    def skip(self, norm: float) -> None:
        self.skipped += 1
        log.warning("step %d not applied: gradient norm %s", self.state.step, norm)
        if self.skipped >= MAX_SKIPPED_IN_A_ROW:
            raise JamflowError(
                f"training: {self.skipped} steps in a row had a gradient norm of {norm:g}; lower learning_rate"
                f" (now {self.plan.learning_rate:g}) or look at the data."
            )

    def validate(self, figures: dict[str, float]) -> None:
        state = self.state
        weights = state.ema or state.network.state_dict()
        kept = _copy(state.network)
        state.network.load_state_dict(weights)
        state.network.eval()
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(self.plan.seed)
            found = self.lesson.validate(state.network)
        if not state.best or found["loss"] < state.best["loss"]:
            state.best, state.stale = {"step": state.step, **found}, 0
            state.best_weights = _copy(state.network)
        else:
            state.stale += 1
        state.network.load_state_dict(kept)
        state.network.train()
        metrics = {**figures, **found}
        state.history.append({"step": state.step, **metrics})
        if self.leads:
            for callback in self.callbacks:
                callback.on_metrics(state.step, metrics)


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def _any_process(flag: bool, device: torch.device) -> bool:
    """Whether any of the processes that train together says so."""
    if not distributed.is_initialized():
        return flag
    flags = torch.tensor(int(flag), device=device)
    distributed.all_reduce(flags, distributed.ReduceOp.MAX)
    return bool(flags.item())


def _moved(batch: Any, device: torch.device) -> Any:
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, dict):
        return {key: _moved(value, device) for key, value in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(_moved(value, device) for value in batch))
    if isinstance(batch, tuple | list):
        return type(batch)(_moved(value, device) for value in batch)
    return batch


@contextmanager
def on_threads(count: int) -> Iterator[None]:
    """Compute on so many CPU threads for the block; 0 leaves torch's choice."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
