from __future__ import annotations

import threading
from contextlib import closing

import pytest
import torch

from models.learning.batches import AHEAD, batches, each_tensor
from models.learning.plan import TrainingPlan

CPU = torch.device("cpu")


class Dice:
    """Batches of dice; it notes which steps were asked for, and by which thread."""

    def __init__(self) -> None:
        self.asked, self.threads = [], set()

    def batch(self, step, generator):
        self.asked.append(step)
        self.threads.add(threading.current_thread().name)
        return {"step": step, "thrown": torch.rand(3, generator=generator)}


def thrown(workers, first=0, seed=7):
    plan = TrainingPlan(steps=12, accumulate=2, workers=workers, seed=seed)
    with closing(batches(Dice().batch, plan, CPU, first)) as coming:
        return [
            (batch.content["step"], batch.content["thrown"].tolist(), batch.generator.get_state().tolist(), batch.seed)
            for batch in coming
        ]


def test_any_number_of_workers_makes_the_same_batches_and_a_resumed_training_finds_them_again():
    alone = thrown(workers=0)
    assert [step for step, *_ in alone] == [step for step in range(12) for _ in range(2)]
    assert thrown(workers=1) == thrown(workers=3) == alone
    assert thrown(workers=3, first=5) == alone[10:]


def test_every_part_of_every_step_has_dice_of_its_own_and_so_has_every_seed():
    throws = {tuple(values) for _, values, *_ in thrown(0)} | {tuple(values) for _, values, *_ in thrown(0, seed=-1)}
    assert len(throws) == 2 * 24


def test_workers_make_batches_ahead_but_not_the_whole_training():
    dice = Dice()
    with closing(batches(dice.batch, TrainingPlan(steps=1000, workers=2), CPU)) as coming:
        for _ in range(5):
            next(coming)
    assert max(dice.asked) <= 5 + 2 * AHEAD
    assert threading.current_thread().name not in dice.threads
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("batches")]


def test_a_worker_that_fails_ends_the_training_at_its_own_step():
    class Torn(Dice):
        def batch(self, step, generator):
            if step == 3:
                raise OSError("the file is torn")
            return super().batch(step, generator)

    with closing(batches(Torn().batch, TrainingPlan(steps=9, workers=2), CPU)) as coming:
        assert [next(coming).content["step"] for _ in range(3)] == [0, 1, 2]
        with pytest.raises(OSError, match="torn"):
            next(coming)


def test_tensors_are_found_wherever_they_are_in_a_batch():
    one = torch.ones(1)
    assert each_tensor({"a": (one, [one, "word"])}, lambda t: t + 1) == {"a": (one + 1, [one + 1, "word"])}
