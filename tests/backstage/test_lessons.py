import numpy as np
import pytest

from backstage.lessons import Journal, workplace
from backstage.record import Record
from backstage.tracking import recording
from models.music.audio import Audio


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


def test_sounds_and_pictures_of_a_training_reach_its_record_with_their_step(tmp_path):
    song = Audio(np.sin(np.arange(800, dtype=np.float32) / 9)[None], 8_000)
    with recording(tmp_path), Journal("loss") as journal:
        journal.on_samples(40, {"take": song, "page": np.zeros((4, 6, 3), np.uint8)})
    record = Record(tmp_path)
    for kind, name in (("audio", "take, step 40"), ("picture", "page, step 40")):
        (entry,) = record.of_kind(kind)
        assert entry["name"] == name
        assert (tmp_path / entry["file"]).stat().st_size > 50
