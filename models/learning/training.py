"""One training loop for every network: AMP, EMA, clipping, warm-up, accumulation, early stopping, exact resume.

    trained = train(GrooveLesson(data, config), TrainingPlan(steps=4000), "runs/groove")

Give it the same folder again and it goes on where it was; on a CPU the result is the same bit for bit as if it had
never stopped. Ctrl-C or a plain kill saves the state of the step first. Parameters that ask for no gradient stay as
they are and cost nothing. Under torchrun (models/learning/launch.py) every process trains on its own batches and
shares gradients; the first one writes, judges and decides for all.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, distributed, nn

from models.learning.batches import Batch, batches, each_tensor
from models.learning.interruption import Interruption
from models.learning.lesson import Callback, Lesson, Listener, Performer
from models.learning.plan import TrainingPlan
from models.learning.processes import any_process, leads, own_device, told_by_first
from models.learning.progress import Progress
from models.learning.resume import TrainingState, newest_state, save_state, taught_weights
from models.music.errors import BadConfig, JamflowError

log = logging.getLogger(__name__)
MAX_SKIPPED_IN_A_ROW = 20
PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16}


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
    device = torch.device(device) if device else own_device()
    devices = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), on_threads(plan.threads):
        return _Training(lesson, plan, Path(folder), callbacks, device).run()


class _Training:
    def __init__(
        self, lesson: Lesson, plan: TrainingPlan, folder: Path, callbacks: Sequence[Callback], device: torch.device
    ) -> None:
        self.lesson, self.plan, self.folder, self.callbacks, self.device = lesson, plan, folder, callbacks, device
        network = lesson.network.to(device).train()
        self.parameters = [weight for weight in network.parameters() if weight.requires_grad]
        if not self.parameters:
            raise BadConfig("training: every parameter of the network is frozen; leave some to be taught.")
        optimiser = torch.optim.AdamW(self.parameters, plan.learning_rate, weight_decay=plan.weight_decay)
        scaler = torch.amp.GradScaler(device.type, enabled=plan.amp == "fp16")
        self.state = TrainingState(network, optimiser, scaler, ema=_copy(network) if plan.ema_decay else None)
        if found := told_by_first(lambda: newest_state(folder)):
            self.state.restore(found)
            log.info("resumed from step %d (%s)", self.state.step, found.name)
        self.began = time.monotonic() - self.state.seconds
        self.skipped = 0
        self.taught = network if not distributed.is_initialized() else nn.parallel.DistributedDataParallel(network)
        precision = PRECISIONS.get(plan.amp)
        self.precision = partial(torch.autocast, device.type, precision) if precision else nullcontext

    def run(self) -> Trained:
        plan, state = self.plan, self.state
        minutes = plan.minutes and max(1e-9, plan.minutes - state.seconds / 60)
        with (
            Interruption() as interruption,
            Progress(plan.steps, state.step, minutes, visible=leads()) as show,
            closing(batches(self.lesson.batch, plan, self.device, state.step)) as coming,
        ):
            ended = state.step >= plan.steps or self.stopped_early or any_process(self.device, self.out_of_time)[0]
            while not ended:
                figures = self.one_step(coming)
                over, interrupted = any_process(self.device, self.out_of_time, bool(interruption.asked))
                ended = over or state.step == plan.steps
                if ended or state.step % plan.validate_every == 0:
                    self.validate(figures)
                    ended |= self.stopped_early
                if plan.sample_every and state.step % plan.sample_every == 0:
                    self.sample()
                if ended or interrupted or state.step % plan.save_every == 0:
                    self.save()
                if interrupted:
                    interruption.go()
                show(state.step, figures["train_loss"])
        if state.best_weights:
            state.network.load_state_dict(state.best_weights, strict=False)
        seconds = time.monotonic() - self.began
        return Trained(state.network.eval(), state.best, state.history, state.step, seconds, self.stopped_early)

    @property
    def stopped_early(self) -> bool:
        return bool(self.plan.patience) and self.state.stale >= self.plan.patience

    @property
    def spent(self) -> float:
        """The share of the plan's minutes that has passed; 0 where it sets none."""
        return (time.monotonic() - self.began) / (60 * self.plan.minutes) if self.plan.minutes else 0.0

    @property
    def out_of_time(self) -> bool:
        return self.spent > 1.0

    def one_step(self, coming: Iterator[Batch]) -> dict[str, float]:
        plan, state = self.plan, self.state
        rate = plan.learning_rate_at(state.step, told_by_first(lambda: self.spent) if plan.minutes else 0.0)
        for group in state.optimiser.param_groups:
            group["lr"] = rate
        state.optimiser.zero_grad(set_to_none=True)
        heard = [self.learn_from(next(coming), last=part == plan.accumulate) for part in range(1, plan.accumulate + 1)]
        state.scaler.unscale_(state.optimiser)
        norm = float(nn.utils.clip_grad_norm_(self.parameters, plan.clip_norm))
        if math.isfinite(norm) and norm < plan.skip_norm:
            state.scaler.step(state.optimiser)
            self.skipped = 0
        else:
            self.skip(norm)
        state.scaler.update()
        state.step += 1
        if state.ema is not None:
            decay = min(plan.ema_decay, (1 + state.step) / (10 + state.step))  # the average forgets its random start
            fresh = taught_weights(state.network)
            for name, value in state.ema.items():
                value.lerp_(fresh[name], 1 - decay) if value.is_floating_point() else value.copy_(fresh[name])
        means = {name: sum(part[name] for part in heard) / len(heard) for name in heard[0]}
        return {"train_loss": means.pop("train_loss"), "learning_rate": rate, "gradient_norm": norm, **means}

    def learn_from(self, batch: Batch, last: bool) -> dict[str, float]:
        """Add a batch's gradient; processes exchange theirs with the last one of a step."""
        torch.manual_seed(batch.seed)
        content = each_tensor(batch.content, partial(Tensor.to, device=self.device, non_blocking=True))
        shared = isinstance(self.taught, nn.parallel.DistributedDataParallel)
        with self.taught.no_sync() if shared and not last else nullcontext():  # type: ignore[operator]
            with self.precision():
                loss, figures = self.lesson.loss(self.taught, content, batch.generator)
            self.state.scaler.scale(loss / self.plan.accumulate).backward()
        return {"train_loss": float(loss.detach()), **figures}

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
        with self.performing() as network:
            figures, found = told_by_first(lambda: (figures, self.lesson.validate(network)))
            if not state.best or found["loss"] < state.best["loss"]:
                state.best, state.stale = {"step": state.step, **found}, 0
                state.best_weights = _copy(network)
            else:
                state.stale += 1
        metrics = {**figures, **found}
        state.history.append({"step": state.step, **metrics})
        if leads():
            for callback in self.callbacks:
                callback.on_metrics(state.step, metrics)

    def sample(self) -> None:
        """Let those who want to hear and see what the network can do by now."""
        listeners = [callback for callback in self.callbacks if isinstance(callback, Listener)]
        if leads() and listeners and isinstance(self.lesson, Performer):
            with self.performing() as network:
                samples = self.lesson.samples(network)
            for listener in listeners:
                listener.on_samples(self.state.step, samples)

    @contextmanager
    def performing(self) -> Iterator[nn.Module]:
        """Give the network in evaluation mode, with averaged weights where they are kept, and the same dice each time."""
        network = self.state.network
        learning = _copy(network)
        network.load_state_dict(self.state.ema or learning, strict=False)
        network.eval()
        torch.manual_seed(self.plan.seed)
        try:
            with torch.no_grad():
                yield network
        finally:
            network.load_state_dict(learning, strict=False)
            network.train()

    def save(self) -> None:
        self.state.seconds = time.monotonic() - self.began
        told_by_first(lambda: save_state(self.folder, self.state))  # nobody goes before it is written


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in taught_weights(network).items()}


@contextmanager
def on_threads(count: int) -> Iterator[None]:
    """Compute on so many CPU threads for the block; 0 leaves torch's choice."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
