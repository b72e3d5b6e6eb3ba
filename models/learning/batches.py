"""The batches of step after step, made ahead by threads when there are any.

    with closing(batches(lesson.batch, plan, device, first=120)) as coming:
        batch = next(coming)

What is random in a batch comes from the seed, the process, the step and the part of the step, not from the batch
before: so any number of workers makes the same batches, and a resumed training goes on with the ones it would have had.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor

from models.learning.plan import TrainingPlan
from models.learning.processes import rank

Draw: TypeAlias = Callable[[int, torch.Generator], Any]
AHEAD = 2
"""Batches that wait for each worker: more would cost memory and hide no more."""


class Batch(NamedTuple):
    """What a network is shown at once, and the dice for what follows."""

    content: Any
    generator: torch.Generator
    """Where the lesson's own draws go on."""
    seed: int
    """Of dropout and whatever else asks torch itself."""


def batches(draw: Draw, plan: TrainingPlan, device: torch.device, first: int = 0) -> Generator[Batch, None, None]:
    """Give the batches from a step on, `plan.accumulate` of them a step."""
    turns = ((step, part) for step in range(first, plan.steps) for part in range(plan.accumulate))
    make = partial(_make, draw, plan.seed, device)
    if not plan.workers:
        yield from (make(turn) for turn in turns)
        return
    pool = ThreadPoolExecutor(plan.workers, "batches")
    try:
        waiting = deque(pool.submit(make, turn) for turn in islice(turns, plan.workers * AHEAD))
        while waiting:
            made = waiting.popleft().result()
            waiting.extend(pool.submit(make, turn) for turn in islice(turns, 1))
            yield made
    finally:
        pool.shutdown(cancel_futures=True)


def _make(draw: Draw, seed: int, device: torch.device, turn: tuple[int, int]) -> Batch:
    step, part = turn
    dice = np.random.SeedSequence((seed % 2**64, rank(), step, part)).generate_state(2, np.uint64)
    generator = torch.Generator().manual_seed(int(dice[0]))
    content = draw(step, generator)
    if device.type == "cuda":
        content = each_tensor(content, Tensor.pin_memory)  # so that the copy to the GPU waits for nobody
    return Batch(content, generator, int(dice[1]))


def each_tensor(content: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Change every tensor in a tensor, or in tuples, lists and dicts of them."""
    if isinstance(content, Tensor):
        return change(content)
    if isinstance(content, dict):
        return {key: each_tensor(value, change) for key, value in content.items()}
    if isinstance(content, tuple) and hasattr(content, "_fields"):
        return type(content)(*(each_tensor(value, change) for value in content))
    if isinstance(content, tuple | list):
        return type(content)(each_tensor(value, change) for value in content)
    return content
