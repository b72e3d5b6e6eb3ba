"""The whole path, tiny: practice drummers teach a network, it is judged beside its baselines, and it plays."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from models.groove.dataset import prepare, read_corpus
from models.groove.encoding import HITS, OFFSETS, VELOCITIES
from models.groove.evaluate import judge
from models.groove.files import play_file
from models.groove.humaniser import STARTER, Humaniser
from models.groove.lesson import GrooveLesson, GrooveTraining, read_preset
from models.groove.metrics import BASELINES, bootstrapped, errors_by_performance, hit_f1, measure, same_step_correlation
from models.groove.regressor import taught
from models.groove.report import MEAN, REGRESSOR, SAMPLED, draw, evaluate, table
from models.groove.request import GrooveRequest
from models.groove.train import train_groove
from models.learning.training import TrainingPlan
from models.music.errors import BadConfig, BadInput
from models.music.midi import read_midi, write_midi
from models.music.notes import Take
from models.practice.grooves import write_grooves


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    prepare(write_grooves(folder / "midi", performances=12, bars=6, seed=5), folder / "prepared")
    return folder / "prepared"


@pytest.fixture(scope="module")
def corpus(prepared):
    return read_corpus(prepared)


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    plan = TrainingPlan(steps=30, learning_rate=3e-3, validate_every=10, save_every=10)
    result = train_groove(corpus, GrooveTraining(plan, "tiny", batch=32), folder / "model", folder / "work")
    return folder / "model", result


def test_a_lesson_lowers_the_loss_and_leaves_a_model_that_plays(corpus, trained):
    folder, result = trained
    losses = [row["loss"] for row in result.history if "loss" in row]
    assert losses[-1] < 0.95 * losses[0]
    assert json.loads((folder / "config.json").read_text())["facts"]["windows"] == corpus.summary["windows"]
    rows = Humaniser.load(folder).humanise(training_take()).notes
    assert len(rows) == len(training_take())


def training_take():
    return Take(np.array([(42, 80, 240 * s, 100) for s in range(32)] + [(38, 90, 960, 100), (36, 99, 0, 100)]))


def test_a_report_puts_every_player_side_by_side(corpus, trained, tmp_path):
    network = Humaniser.load(trained[0]).network.float()
    report = evaluate(network, corpus, "test", taught(corpus, minutes=0.02, folder=tmp_path / "regressor"))
    assert {*BASELINES, REGRESSOR, MEAN, SAMPLED, "the drummers"} == set(report.figures)
    assert report.figures["the drummers"]["timing_mae_ms"] == 0
    assert report.figures["the drummers"]["timing_kl"] == pytest.approx(0, abs=1e-9)
    assert report.figures[SAMPLED]["timing_kl"] < report.figures["drum mean"]["timing_kl"]
    low, high = report.intervals[MEAN]["velocity_mae"]
    assert low <= report.figures[MEAN]["velocity_mae"] <= high
    assert "BiLSTM regressor" in table(report)
    assert all(path.stat().st_size > 5000 for path in draw(network, corpus.test, tmp_path))


def test_a_verdict_is_a_folder_with_the_champion_beside_it(prepared, trained, tmp_path):
    figures = judge(prepared, trained[0], tmp_path / "verdict", champion=trained[0])
    assert json.loads((tmp_path / "verdict" / "metrics.json").read_text()) == figures
    assert json.loads((tmp_path / "verdict" / "champion.json").read_text()) == figures
    baselines = json.loads((tmp_path / "verdict" / "baselines.json").read_text())
    assert set(baselines) == set(BASELINES)
    assert all(set(figures) - {"tap_f1"} <= set(theirs) for theirs in baselines.values())
    assert {"piano_roll.png", "timing.png", "report.txt"} <= {file.name for file in (tmp_path / "verdict").iterdir()}


def test_a_file_is_played_whole_and_numbered(trained, tmp_path):
    humaniser = Humaniser.load(trained[0])
    write_midi(tmp_path / "beat.mid", training_take(), drums=True)

    def play(hits, bars, seed):
        return humaniser.play([GrooveRequest(hits, bars, seed=seed)])[0]

    for dial in (0.0, 1.0):
        assert play_file(tmp_path / "beat.mid", tmp_path / "out", play, timing=dial, velocity=dial) == len(
            training_take()
        )
    np.testing.assert_array_equal(read_midi(tmp_path / "out" / "beat_1.mid").notes, training_take().notes)
    human = read_midi(tmp_path / "out" / "beat_2.mid")
    assert sorted(human.notes[:, 0]) == sorted(training_take().notes[:, 0])
    with pytest.raises(BadInput, match="leave them at 1"):
        play_file(tmp_path / "beat.mid", tmp_path / "out", play, "vary", timing=0.5)


def played_by(generator, n=6):
    hits = generator.random((n, 32, 9)) < 0.2
    table = np.concatenate([hits, hits * generator.random(hits.shape), hits * generator.uniform(-1, 1, hits.shape)], -1)
    return table.astype(np.float32)


def test_errors_are_in_the_units_they_name():
    true = played_by(np.random.default_rng(1))
    late, loud = true.copy(), true.copy()
    late[..., OFFSETS] -= 0.2 * true[..., HITS]
    loud[..., VELOCITIES] += 10 / 127 * true[..., HITS]
    step_ms = np.full(6, 125.0)
    assert measure(true, late, step_ms)["timing_mae_ms"] == pytest.approx(12.5, rel=1e-5)
    assert measure(true, late, step_ms)["timing_mse_16ths"] == pytest.approx(0.01, rel=1e-4)
    assert measure(true, loud, step_ms)["velocity_mae"] == pytest.approx(10, rel=1e-4)
    assert hit_f1(true, true) == 1
    assert hit_f1(true, np.zeros_like(true)) == 0


def test_drums_late_together_correlate_and_drums_apart_do_not():
    generator = np.random.default_rng(2)
    struck = generator.random((400, 32, 9)) < 0.3
    shared = np.broadcast_to(generator.normal(size=(400, 32, 1)), struck.shape)
    assert same_step_correlation(struck, shared) == pytest.approx(1)
    assert abs(same_step_correlation(struck, generator.normal(size=struck.shape))) < 0.05


def test_means_beat_the_grid_and_more_of_them_beat_fewer(corpus):
    errors = []
    for name in ("quantised, velocity 80", "drum mean", "drum x step mean"):
        cells = BASELINES[name](corpus.train.cells)(corpus.train.cells)
        np.testing.assert_array_equal(cells[..., HITS], corpus.train.cells[..., HITS])
        errors.append(measure(corpus.train.cells, cells, corpus.train.step_ms)["velocity_rmse"])
    assert errors[0] > errors[1] > errors[2]


def test_an_interval_draws_performances_not_windows():
    """Ten windows of one performance are one witness."""
    generator = np.random.default_rng(3)
    true = played_by(generator, 40)
    wrong = true.copy()
    wrong[:20, ..., VELOCITIES] = 0
    few = errors_by_performance(true, wrong, np.full(40, 125.0), np.repeat([0, 1], 20))
    many = errors_by_performance(true, wrong, np.full(40, 125.0), np.arange(40))
    width = {name: np.diff(bootstrapped(sums, "velocity_mae"))[0] for name, sums in (("few", few), ("many", many))}
    assert width["few"] > 2 * width["many"]
    assert bootstrapped(many, "velocity_mae", against=many) == (0, 0)


def test_presets_are_read_and_a_wrong_name_is_told_its_neighbour():
    assert read_preset("laptop").network == "laptop"
    assert read_preset("published").config.dropout == 0.7
    with pytest.raises(BadConfig, match="did you mean 'laptop'"):
        read_preset("labtop")
    with pytest.raises(BadConfig, match="tasks: unknown 'humanize'"):
        dataclasses.replace(read_preset("tiny"), tasks={"humanize": 1.0})


def test_tasks_differ_in_what_is_told_and_never_in_what_was_played(corpus):
    lesson = GrooveLesson(corpus.train, corpus.validation, read_preset("tiny"))
    played = corpus.train.cells[:8]
    told = {task: lesson.heard(played, task, np.random.default_rng(0)) for task in ("humanise", "vary", "tap")}
    assert all((parts[1] == played).all() for parts in told.values())
    assert (told["humanise"][2][..., :9] == played[..., HITS]).all()
    assert told["vary"][2][..., :9].sum() < played[..., HITS].sum()
    assert told["tap"][2][..., :10].sum() == 0
    one, other = (lesson.batch(3, torch.Generator().manual_seed(7)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_starter_model_plays_and_is_small():
    assert sum(file.stat().st_size for file in STARTER.iterdir()) < 10e6
    take = training_take()
    played = Humaniser.load().humanise(take)
    assert len(played) == len(take)
    assert (played.notes[:, 2] != take.notes[:, 2]).mean() > 0.5
