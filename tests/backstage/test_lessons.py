import pytest

from backstage.lessons import workplace


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
