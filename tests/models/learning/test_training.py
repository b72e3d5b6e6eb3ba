from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from models.learning.checkpoint import read_tensors
from models.learning.resume import newest_state
from models.learning.training import TrainingPlan, train
from models.music.errors import BadConfig, BadInput, JamflowError
from models.music.files import read_json


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


def test_where_minutes_end_first_the_rate_comes_down_with_them(tmp_path):
    heard = []

    class Ear:
        def on_metrics(self, step, metrics):
            heard.append(metrics["learning_rate"])

    plan = TrainingPlan(steps=10**9, learning_rate=0.01, minutes=0.02, validate_every=1)
    train(Line(), plan, tmp_path, [Ear()])
    assert heard == sorted(heard, reverse=True)
    assert heard[-1] < 0.2 * heard[0]


def test_an_impossible_plan_is_refused_with_a_way_out():
    with pytest.raises(BadConfig, match=r"learning_rate is 0; it must be above 0 \(try 3e-4\)"):
        TrainingPlan(steps=1, learning_rate=0)


def test_precision_has_a_name():
    with pytest.raises(BadConfig, match="amp is True; it must be bf16, fp16 or empty"):
        TrainingPlan(steps=1, amp=True)  # type: ignore[arg-type]


class Halves(Line):
    """The same 32 points at every step: whole, or in two halves."""

    def __init__(self, parts):
        super().__init__()
        self.network[2] = nn.Identity()
        self.parts, self.shown = parts, 0

    def batch(self, step, generator):
        x = torch.linspace(-1, 1, 32)[:, None].chunk(self.parts)[self.shown % self.parts]
        self.shown += 1
        return x, 2 * x - 1


def test_batches_of_one_step_add_up_to_a_larger_batch(tmp_path):
    plan = TrainingPlan(steps=20, learning_rate=0.02, validate_every=20)
    whole = train(Halves(1), plan, tmp_path / "whole")
    halves = train(Halves(2), dataclasses.replace(plan, accumulate=2), tmp_path / "halves")
    assert halves.history[0]["loss"] == pytest.approx(whole.history[0]["loss"], rel=1e-4)
    assert halves.history[0]["train_loss"] == pytest.approx(whole.history[0]["train_loss"], rel=1e-4)


@pytest.mark.parametrize("amp", ["bf16", "fp16"])
def test_half_precision_learns_too_and_resumes_with_its_scale(amp, tmp_path):
    plan = dataclasses.replace(PLAN, amp=amp)
    whole = train(Line(), plan, tmp_path / "whole")
    assert whole.best["loss"] < 0.05
    with pytest.raises(Interrupted):
        train(StopAt(), plan, tmp_path / "twice")
    assert train(Line(), plan, tmp_path / "twice").history == whole.history


def test_a_gradient_that_fp16_cannot_hold_halves_the_scale_and_the_training_goes_on(tmp_path):
    plan = dataclasses.replace(PLAN, amp="fp16", skip_norm=1e9)
    train(Line(scale=30.0), plan, tmp_path)
    newest = newest_state(tmp_path)
    assert newest is not None
    assert read_json(newest / "state.json")["scaler"]["scale"] < 2**16


def test_workers_change_nothing_about_what_is_learnt(tmp_path):
    whole = train(Line(), PLAN, tmp_path / "alone")
    helped = dataclasses.replace(PLAN, workers=2)
    with pytest.raises(Interrupted):
        train(StopAt(), helped, tmp_path / "helped")
    assert train(Line(), helped, tmp_path / "helped").history == whole.history


class Adapter(nn.Module):
    """A frozen line with a small taught correction beside it, as LoRA has it."""

    def __init__(self, slope=1.0):
        super().__init__()
        self.base = nn.Linear(1, 1).requires_grad_(False)
        self.base.weight.fill_(slope)
        self.correction = nn.Linear(1, 1)
        nn.init.zeros_(self.correction.weight)
        nn.init.zeros_(self.correction.bias)

    def forward(self, x):
        return self.base(x) + self.correction(x)


class AdapterLesson(Line):
    def __init__(self, slope=1.0):
        super().__init__()
        self.network = Adapter(slope)
        self.network.base.bias.fill_(0.5)


def test_what_is_frozen_stays_and_is_neither_averaged_nor_saved(tmp_path):
    lesson = AdapterLesson()
    trained = train(lesson, dataclasses.replace(PLAN, steps=200), tmp_path)
    assert trained.network.state_dict()["base.weight"].item() == 1.0
    assert trained.best["loss"] < 0.05
    newest = newest_state(tmp_path)
    assert newest is not None
    assert not [name for name in read_tensors(newest / "state.safetensors") if "base" in name]


def test_a_training_resumes_only_beside_the_same_frozen_weights(tmp_path):
    class Stopping(AdapterLesson, StopAt):
        pass

    whole = train(AdapterLesson(), PLAN, tmp_path / "whole")
    with pytest.raises(Interrupted):
        train(Stopping(), PLAN, tmp_path / "twice")
    with pytest.raises(BadInput, match="other frozen weights"):
        train(AdapterLesson(slope=3.0), PLAN, tmp_path / "twice")
    assert train(AdapterLesson(), PLAN, tmp_path / "twice").history == whole.history


def test_a_network_that_is_frozen_whole_is_refused(tmp_path):
    lesson = Line()
    lesson.network.requires_grad_(False)
    with pytest.raises(BadConfig, match="every parameter of the network is frozen"):
        train(lesson, PLAN, tmp_path)


def test_samples_reach_those_who_listen_and_change_nothing(tmp_path):
    class Singing(Line):
        def samples(self, network):
            assert not network.training
            return {"picture": torch.rand(2).numpy()}

    class Ear:
        def __init__(self):
            self.heard = []

        def on_metrics(self, step, metrics):
            pass

        def on_samples(self, step, samples):
            self.heard.append((step, samples["picture"].tolist()))

    ear, plan = Ear(), dataclasses.replace(PLAN, sample_every=25)
    sung = train(Singing(), plan, tmp_path / "sung", [ear])
    assert [step for step, _ in ear.heard] == [25, 50]
    assert ear.heard[0][1] == ear.heard[1][1], "the same dice every time: the ear compares networks, not luck"
    assert sung.history == train(Line(), PLAN, tmp_path / "silent").history
