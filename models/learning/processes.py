"""Several processes that learn together, or one alone: the same calls for both.

torchrun --standalone --nproc-per-node 2 ...        # starts them; torchrun tells each who it is
with together():                                    # gloo on CPUs, nccl on GPUs; left again at the end
    leads(), any_process(device, tired), told_by_first(judge)
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import distributed

LONGEST_WAIT = datetime.timedelta(minutes=30)
"""For each other, also while the first process validates."""
T = TypeVar("T")


@contextmanager
def together() -> Iterator[None]:
    """Join the processes that torchrun started; without torchrun this process stays alone."""
    if "RANK" not in os.environ:
        yield
        return
    gpus = torch.cuda.is_available()
    if gpus:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
    distributed.init_process_group("nccl" if gpus else "gloo", timeout=LONGEST_WAIT)
    try:
        yield
    finally:
        distributed.destroy_process_group()


def rank() -> int:
    """The number of this process among those that learn together, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def leads() -> bool:
    """Whether this process writes, shows and judges for all."""
    return rank() == 0


def own_device() -> torch.device:
    """This process's own GPU, or the CPU where there is none."""
    return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")


def any_process(device: torch.device, *says: bool) -> list[bool]:
    """For each of the things said, whether any of the processes says so; all get the same answers."""
    if not distributed.is_initialized():
        return list(says)
    flags = torch.tensor(says, dtype=torch.int32, device=device)
    distributed.all_reduce(flags, distributed.ReduceOp.MAX)
    return [bool(flag) for flag in flags.tolist()]


def told_by_first(find: Callable[[], T]) -> T:
    """Return to every process what the first one finds."""
    if not distributed.is_initialized():
        return find()
    told: list[T | None] = [find() if leads() else None]
    distributed.broadcast_object_list(told)
    return told[0]  # type: ignore[return-value]
