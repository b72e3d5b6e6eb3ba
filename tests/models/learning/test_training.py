from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from models.learning.resume import newest_state
from models.learning.training import TrainingPlan, train
from models.music.errors import BadConfig, JamflowError


class Line:
    """Learn y = 2x - 1 with a network that drops out, so that every random stream matters."""

    def __init__(self, scale: float = 1.0) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(5)
            self.network = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Dropout(0.2), nn.Linear(16, 1))
        self.scale = scale

    def batch(self, step, generator):
        x = torch.rand(32, 1, generator=generator) * 2 - 1
        return x, (2 * x - 1) * self.scale

    def loss(self, network, batch, generator):
        x, y = batch
        return F.mse_loss(network(x), y), {}

    def validate(self, network):
        x = torch.linspace(-1, 1, 50)[:, None]
        return {"loss": float(F.mse_loss(network(x), 2 * x - 1))}


PLAN = TrainingPlan(steps=60, learning_rate=0.02, warmup_steps=5, ema_decay=0.9, validate_every=20, save_every=10)


class Interrupted(Exception):
    pass


class StopAt(Line):
    def batch(self, step, generator):
        if step == 37:
            raise Interrupted
        return super().batch(step, generator)


def test_a_line_is_learnt(tmp_path):
    trained = train(Line(), TrainingPlan(steps=300, learning_rate=0.03, validate_every=100), tmp_path)
    assert trained.best["loss"] < 0.05
    assert [row["step"] for row in trained.history] == [100, 200, 300]


def test_a_stopped_training_ends_as_if_it_had_never_stopped(tmp_path):
    whole = train(Line(), PLAN, tmp_path / "whole")
    with pytest.raises(Interrupted):
        train(StopAt(), PLAN, tmp_path / "twice")
    resumed = train(Line(), PLAN, tmp_path / "twice")
    assert resumed.history == whole.history
    for name, weights in whole.network.state_dict().items():
        assert torch.equal(weights, resumed.network.state_dict()[name]), name


def test_a_damaged_checkpoint_is_passed_over_and_the_end_is_the_same(tmp_path):
    whole = train(Line(), PLAN, tmp_path / "whole")
    with pytest.raises(Interrupted):
        train(StopAt(), PLAN, tmp_path / "torn")
    newest = newest_state(tmp_path / "torn")
    assert newest is not None
    tensors = newest / "state.safetensors"
    tensors.write_bytes(tensors.read_bytes()[: tensors.stat().st_size // 2])
    before = newest_state(tmp_path / "torn")
    assert before is not None
    assert before.name < newest.name
    assert train(Line(), PLAN, tmp_path / "torn").history == whole.history


def test_training_leaves_the_callers_random_numbers_alone(tmp_path):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    train(Line(), TrainingPlan(steps=3), tmp_path)
    assert torch.equal(torch.rand(3), expected)


def test_patience_ends_a_training_that_learns_nothing_more(tmp_path):
    plan = TrainingPlan(steps=500, learning_rate=1e-9, min_learning_rate=0, validate_every=5, patience=2)
    lesson = Line()
    lesson.validate = lambda network: {"loss": 1.0}
    trained = train(lesson, plan, tmp_path)
    assert (trained.steps, trained.stopped_early) == (15, True)


def test_the_best_weights_come_back_not_the_last(tmp_path):
    lesson, seen = Line(), iter([3.0, 1.0, 2.0])
    kept = {}

    def validate(network):
        loss = next(seen)
        kept[loss] = network[0].weight.clone()
        return {"loss": loss}

    lesson.validate = validate
    trained = train(lesson, TrainingPlan(steps=30, validate_every=10), tmp_path)
    assert torch.equal(trained.network.state_dict()["0.weight"], kept[1.0])


def test_a_broken_gradient_is_never_applied_and_many_end_the_training(tmp_path):
    with pytest.raises(JamflowError, match="lower learning_rate"):
        train(Line(scale=float("nan")), PLAN, tmp_path)


def test_callbacks_hear_the_figures(tmp_path):
    heard = []

    class Ear:
        def on_metrics(self, step, metrics):
            heard.append((step, sorted(metrics)))

    train(Line(), PLAN, tmp_path, [Ear()])
    assert heard[0] == (20, ["gradient_norm", "learning_rate", "loss", "train_loss"])


def test_the_rate_warms_up_and_comes_down():
    plan = TrainingPlan(steps=100, learning_rate=1.0, min_learning_rate=0.1, warmup_steps=10)
    rates = [plan.learning_rate_at(step) for step in (0, 9, 55, 100)]
    assert rates == pytest.approx([0.1, 1.0, 0.55, 0.1])


def test_an_impossible_plan_is_refused_with_a_way_out():
    with pytest.raises(BadConfig, match=r"learning_rate is 0; it must be above 0 \(try 3e-4\)"):
        TrainingPlan(steps=1, learning_rate=0)


ONE_OF_TWO = """
import sys, torch
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from test_training import Line, TrainingPlan, train
rank, folder = int(sys.argv[3]), Path(sys.argv[2])
torch.distributed.init_process_group("gloo", (folder / "meet").as_uri(), rank=rank, world_size=2)
trained = train(Line(), TrainingPlan(steps=4, minutes=5), folder / "training")
torch.save(trained.network.state_dict()["0.weight"], folder / f"{rank}.pt")
torch.distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_that_train_together_end_with_the_same_weights(tmp_path):
    start = [sys.executable, "-c", ONE_OF_TWO, str(Path(__file__).parent), str(tmp_path)]
    both = [subprocess.Popen([*start, str(rank)]) for rank in (0, 1)]
    assert [process.wait(60) for process in both] == [0, 0]
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    assert torch.equal(first, second)
