import numpy as np
import pytest

from backstage.lessons import Journal, show_evaluation, workplace
from backstage.record import Record
from backstage.tracking import recording
from models.music.audio import Audio
from models.music.figures import Figure
from models.music.files import write_json

FIGURES = {"loss": Figure("validation loss", "nats", better="lower")}


def test_an_interrupted_training_finds_its_checkpoints_again_and_a_finished_one_leaves_none(tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "windows").write_text("beats")
    with pytest.raises(KeyboardInterrupt), workplace(str(tmp_path), "groove", corpus, seed=1) as first:
        (first / "step-1").mkdir(parents=True)
        raise KeyboardInterrupt
    with workplace(str(tmp_path), "groove", corpus, seed=1) as again:
        assert (again / "step-1").is_dir()
    assert not again.exists()


def test_other_data_settings_or_code_are_another_training(tmp_path, monkeypatch):
    (tmp_path / "corpus").write_text("beats")
    places = []
    for words, seed, key in (("beats", 1, "a"), ("beats", 2, "a"), ("other beats", 1, "a"), ("beats", 1, "b")):
        monkeypatch.setenv("JAMFLOW_STAGE_KEY", key)
        (tmp_path / "corpus").write_text(words)
        with workplace(str(tmp_path), "groove", tmp_path / "corpus", seed=seed) as place:
            places.append(place)
    assert len(set(places)) == 4


def test_an_evaluation_is_shown_beside_the_champion_and_the_baselines(tmp_path):
    write_json(tmp_path / "metrics.json", {"loss": 1.0})
    write_json(tmp_path / "champion.json", {"loss": 2.0})
    write_json(tmp_path / "baselines.json", {"the mean": {"loss": 3.0}})
    (tmp_path / "piano_roll.png").write_bytes(b"png")
    with recording(tmp_path / "record") as folder:
        show_evaluation(tmp_path, FIGURES)
    record = Record(folder)
    assert record.figures() == FIGURES
    assert record.beside() == {"champion": {"loss": 2.0}, "the mean": {"loss": 3.0}}
    assert record.of_kind("picture")[0]["name"] == "piano roll"


def test_a_training_leaves_its_figures_and_its_curve(tmp_path):
    with recording(tmp_path) as folder, Journal("loss", FIGURES) as journal:
        journal.on_metrics(10, {"train_loss": 3.0, "loss": 2.0})
    record = Record(folder)
    assert record.metrics() == {"train_loss": 3.0, "loss": 2.0}
    assert record.figures() == FIGURES
    assert [picture["name"] for picture in record.of_kind("picture")] == ["loss"]


def test_sounds_and_pictures_of_a_training_reach_its_record_with_their_step(tmp_path):
    song = Audio(np.sin(np.arange(800, dtype=np.float32) / 9)[None], 8_000)
    with recording(tmp_path), Journal("loss", FIGURES) as journal:
        journal.on_samples(40, {"take": song, "page": np.zeros((4, 6, 3), np.uint8)})
    record = Record(tmp_path)
    for kind, name in (("audio", "take, step 40"), ("picture", "page, step 40")):
        (entry,) = record.of_kind(kind)
        assert entry["name"] == name
        assert (tmp_path / entry["file"]).stat().st_size > 50
