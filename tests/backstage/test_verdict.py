import logging

import pytest
from served_house import tiny_groove

from backstage.record import Record
from backstage.tracking import recording
from backstage.verdict import examine
from models.music.files import write_json
from serving.where import Where

CHAMPION = {"timing_mae_ms": 10.0, "velocity_mae": 20.0, "timing_kl": 0.1, "velocity_kl": 0.1}


@pytest.fixture
def model(tmp_path):
    return tiny_groove(tmp_path / "model", 1)


@pytest.fixture
def heard(tmp_path):
    write_json(tmp_path / "champion.json", CHAMPION)
    return tmp_path


def test_a_model_that_is_no_worse_on_the_same_data_passes(model, heard):
    write_json(heard / "metrics.json", {**CHAMPION, "timing_mae_ms": 10.1})
    assert examine("groove", model, heard, 0.0, Where()) == "passed"


def test_a_worse_model_is_held_back_and_log_and_note_say_why(model, heard, caplog):
    write_json(heard / "metrics.json", {**CHAMPION, "timing_mae_ms": 12.0})
    with caplog.at_level(logging.INFO), recording(heard / "record") as folder:
        assert examine("groove", model, heard, 0.0, Where()) == "held back"
    assert "timing error 12 ms; the champion's is 10" in caplog.text
    [why] = Record(folder).of_kind("note")
    assert why["text"].startswith("groove, held back: timing error 12 ms; the champion's is 10")


def test_a_budget_of_the_users_counts_instead_of_the_familys(model, heard, caplog):
    write_json(heard / "metrics.json", CHAMPION)
    with caplog.at_level(logging.INFO):
        assert examine("groove", model, heard, 0.001, Where()) == "held back"
    assert "it answers in" in caplog.text
