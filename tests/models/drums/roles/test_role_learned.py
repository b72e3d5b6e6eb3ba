"""The learned voice: data sets, teaching, the memory, the model folder."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from models.drums.roles.learned.dataset import (
    PRACTICE,
    Dataset,
    LabelledShot,
    find_labelled,
    prepare_dataset,
    read_dataset,
)
from models.drums.roles.learned.evaluate import judge
from models.drums.roles.learned.lesson import LessonConfig, RoleLesson, balance, disturb
from models.drums.roles.learned.memory import recall
from models.drums.roles.learned.network import TINY, RoleNetwork, ScorerConfig
from models.drums.roles.learned.scorer import STARTER, RoleScorer
from models.drums.roles.learned.train import (
    ScorerTraining,
    makers_for_evaluation,
    makers_for_rehearsal,
    save_scorer,
    train_scorer,
)
from models.drums.roles.learned.variation import vary
from models.drums.roles.listening import AudioConfig, prepare
from models.drums.roles.types import ROLES, Role
from models.learning.training import TrainingPlan
from models.music.audio import Audio, write_audio
from models.music.errors import BadConfig, BadInput
from models.music.files import read_json
from models.practice.drum_sounds import KINDS, synthesise
from models.practice.one_shots import write_one_shots

QUICK = TrainingPlan(steps=4, learning_rate=1e-3, validate_every=4, save_every=4)
TAUGHT = ScorerTraining(network=TINY, lesson=LessonConfig(batch=8), plan=QUICK, rehearsal=QUICK)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared data set of three small synthesised packs and the practice room's sounds."""
    root = tmp_path_factory.mktemp("packs")
    for number, maker in enumerate(("anna", "ben", "cleo", PRACTICE)):
        write_one_shots(root / "packs" / maker, 2, seed=number)
    prepare_dataset(find_labelled(root / "packs"), root / "dataset", variants=1)
    return root / "dataset"


@pytest.fixture(scope="module")
def taught(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> RoleScorer:
    dataset = read_dataset(prepared)
    return train_scorer(dataset.only(dataset.makers != "ben"), TAUGHT, tmp_path_factory.mktemp("work"))


def hits() -> list[np.ndarray]:
    generator = np.random.default_rng(11)
    return [synthesise(kind, generator).at_rate(16_000).samples[0] for kind in KINDS]


def test_folders_name_labels_and_the_top_folder_the_maker(tmp_path):
    click = Audio(np.ones(800, np.float32), 16_000)
    for place in ("anna/Kicks/deep/1.wav", "ben/open hat/2.wav", "ben/loops/3.wav", "snare/4.wav"):
        write_audio(tmp_path / place, click)
    found = {Path(shot.path).name: (shot.label, shot.maker) for shot in find_labelled(tmp_path)}
    assert found == {"1.wav": ("kick", "anna"), "2.wav": ("hihat", "ben"), "4.wav": ("snare", tmp_path.name)}


def test_a_csv_of_labels_says_the_same(tmp_path):
    (tmp_path / "labels.csv").write_text("path,label,maker\nanna/1.wav,kick,anna\nx/2.wav,fx,\nx/3.wav,vocals,\n")
    found = [(shot.label, shot.maker) for shot in find_labelled(tmp_path / "labels.csv")]
    assert found == [("kick", "anna"), ("fx", "x")]
    (tmp_path / "labels.csv").write_text("file,kind\n1.wav,kick\n")
    with pytest.raises(BadInput, match="no column label or path"):
        find_labelled(tmp_path / "labels.csv")


def test_a_folder_without_labels_is_told_what_labels_there_are(tmp_path):
    write_audio(tmp_path / "a" / "b" / "1.wav", Audio(np.ones(800, np.float32), 16_000))
    with pytest.raises(BadInput, match="kick, snare"):
        find_labelled(tmp_path)


def test_a_data_set_comes_back_as_it_was(prepared):
    dataset = read_dataset(prepared)
    assert dataset.pictures.shape[:2] == (2, len(KINDS) * 2 * 4)
    assert set(dataset.makers) == {"anna", "ben", "cleo", PRACTICE}
    assert {ROLES[role] for role in dataset.roles} == set(Role)
    assert not np.array_equal(dataset.pictures[0], dataset.pictures[1])


def test_a_data_set_that_was_tampered_with_is_refused(prepared, tmp_path):
    import shutil

    shutil.copytree(prepared, tmp_path / "copy")
    (tmp_path / "copy" / "features.npy").write_bytes(b"no")
    with pytest.raises(BadInput, match=r"features\.npy"):
        read_dataset(tmp_path / "copy")


def test_makers_never_cross_a_split(prepared):
    dataset = read_dataset(prepared)
    rehearsal, evaluation = makers_for_rehearsal(dataset), makers_for_evaluation(dataset, 0.25)
    assert rehearsal
    assert evaluation
    assert PRACTICE not in rehearsal + evaluation
    assert makers_for_evaluation(dataset, 0) == []
    with pytest.raises(BadConfig, match="held_out"):
        makers_for_evaluation(dataset, 0.9)
    with pytest.raises(BadInput, match="1 maker"):
        makers_for_rehearsal(dataset.only(np.isin(dataset.makers, ["anna", PRACTICE])))


def test_every_role_is_drawn_as_often(prepared):
    dataset = read_dataset(prepared)
    weights = balance(dataset)
    shares = [weights[dataset.roles == role].sum() for role in range(5)]
    assert np.allclose(shares, shares[0])


def test_a_variation_is_another_sound_of_the_same_hit():
    clip = prepare(synthesise("snare", np.random.default_rng(1)), AudioConfig())
    before = clip.copy()
    first, second = (vary(clip, np.random.default_rng(seed)) for seed in (1, 2))
    assert np.array_equal(clip, before)
    assert np.isfinite(first).all()
    assert len(first) != len(second) or not np.allclose(first, second)
    assert np.array_equal(first, vary(clip, np.random.default_rng(1)))


def test_disturbing_changes_a_copy_and_stays_in_range():
    pictures = torch.zeros(6, 64, 24)
    changed = disturb(pictures, LessonConfig(), torch.Generator().manual_seed(0))
    assert pictures.abs().sum() == 0
    assert changed.shape == pictures.shape
    assert changed.min() >= -1
    assert changed.max() <= 1.3
    assert changed.std() > 0.01


def test_one_role_teaches_nothing():
    shots = (LabelledShot("a", "kick", "m"), LabelledShot("b", "kick", "n"))
    alone = Dataset(shots, np.zeros((1, 2, 64, 24), np.float16), np.zeros((1, 2, 11), np.float32))
    with pytest.raises(BadInput, match="one role"):
        RoleLesson(alone, None, TINY)


def test_the_memory_recalls_what_it_was_taught(prepared):
    dataset = read_dataset(prepared)
    pictures, features = torch.from_numpy(dataset.pictures[0]).float(), torch.from_numpy(dataset.features[0])
    memory = recall(pictures, features, torch.from_numpy(dataset.roles), torch.ones(len(dataset.roles)), 32)
    shares = memory(pictures, features)
    assert torch.allclose(shares.sum(1), torch.ones(len(shares)), atol=1e-5)
    assert (shares.argmax(1).numpy() == dataset.roles).mean() > 0.9


def test_a_scorer_says_the_same_after_it_was_saved(taught, tmp_path):
    save_scorer(taught, tmp_path / "model")
    again = RoleScorer.load(tmp_path / "model")
    scores = taught.score(hits())
    assert scores.shape == (len(KINDS), 5)
    assert np.allclose(scores.sum(1), 1, atol=1e-4)
    assert np.allclose(again.score(hits()), scores, atol=0.02)  # weights are stored as float16
    assert again.trust == taught.trust
    assert "ben" not in again.facts["makers"]
    assert again.score([]).shape == (0, 5)


def test_the_same_seed_teaches_the_same_scorer(prepared, tmp_path):
    dataset = read_dataset(prepared)
    first, second = (train_scorer(dataset, TAUGHT, tmp_path / name).score(hits()) for name in ("a", "b"))
    assert np.array_equal(first, second)


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("batches", [2, 7], ids=["in the rehearsal", "in the lesson"])
def test_an_interrupted_teaching_goes_on_where_it_was_and_ends_the_same(
    batches, taught, prepared, tmp_path, monkeypatch
):
    dataset = read_dataset(prepared)
    dataset = dataset.only(dataset.makers != "ben")
    saving = dataclasses.replace(QUICK, save_every=1)
    training = dataclasses.replace(TAUGHT, plan=saving, rehearsal=saving)
    drawn, batch = [], RoleLesson.batch

    def count(lesson, step, generator):
        drawn.append(step)
        return batch(lesson, step, generator)

    def stop(lesson, step, generator):
        if len(drawn) == batches:
            raise Interrupted
        return count(lesson, step, generator)

    monkeypatch.setattr(RoleLesson, "batch", stop)
    with pytest.raises(Interrupted):
        train_scorer(dataset, training, tmp_path)
    monkeypatch.setattr(RoleLesson, "batch", count)
    again = train_scorer(dataset, training, tmp_path)
    assert drawn == [*range(QUICK.steps)] * TINY.listeners * 2, "no step was taken twice"
    assert np.array_equal(again.score(hits()), taught.score(hits()))


def test_an_evaluation_judges_makers_that_were_not_heard(taught, prepared, tmp_path):
    save_scorer(taught, tmp_path / "model")
    figures = judge(prepared, tmp_path / "model", tmp_path / "evaluation", champion=tmp_path / "model")
    assert figures["one_shots"] == len(KINDS) * 2
    assert figures["heard_before"] == 0
    assert read_json(tmp_path / "evaluation" / "champion.json")["macro_accuracy"] == figures["macro_accuracy"]
    assert {f.name for f in (tmp_path / "evaluation").glob("*.png")} == {
        "confusion.png",
        "calibration.png",
        "roles.png",
    }


def test_a_champion_taught_on_every_stranger_is_no_judge_and_one_that_no_longer_loads_ends_nothing(
    taught, prepared, tmp_path, caplog
):
    save_scorer(taught, tmp_path / "model")
    everybody = sorted(set(read_dataset(prepared).makers.tolist()))
    save_scorer(RoleScorer(taught.network, taught.trust, {**taught.facts, "makers": everybody}), tmp_path / "knows")
    alone = judge(prepared, tmp_path / "model", tmp_path / "alone")
    assert judge(prepared, tmp_path / "model", tmp_path / "with", champion=tmp_path / "knows") == alone
    assert "every maker of this data taught it" in caplog.text
    (tmp_path / "old").mkdir()
    assert judge(prepared, tmp_path / "model", tmp_path / "beside", champion=tmp_path / "old") == alone
    assert "the champion was not heard on this data" in caplog.text
    assert not (tmp_path / "with" / "champion.json").exists()
    assert not (tmp_path / "beside" / "champion.json").exists()


def test_the_network_is_well_under_a_million_parameters():
    network = RoleNetwork(dataclasses.replace(ScorerConfig(), memory_sounds=5_000))
    assert sum(tensor.numel() for tensor in network.state_dict().values()) < 700_000


def test_the_starter_is_small_says_where_it_comes_from_and_knows_synthesised_hits():
    assert sum(f.stat().st_size for f in STARTER.iterdir()) < 5_000_000
    card = (STARTER / "CARD.md").read_text(encoding="utf-8")
    for credit in ("MuldjordKit", "CC BY 4.0", "Pearl", "CC BY 3.0", "mot4i"):
        assert credit in card
    generator = np.random.default_rng(99)
    wanted = {"kick": 0, "snare": 1, "hihat": 2, "tom": 3}
    sounds = [
        (synthesise(kind, generator).at_rate(16_000).samples[0], role)
        for kind, role in wanted.items()
        for _ in range(5)
    ]
    answers = RoleScorer.load(STARTER).score([sound for sound, _ in sounds]).argmax(1)
    assert np.mean([answer == role for answer, (_, role) in zip(answers, sounds, strict=True)]) >= 0.8
