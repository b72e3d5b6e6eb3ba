import logging

import pytest

from backstage.record import Record
from backstage.tracking import recording
from backstage.verdict import examine
from models.music.errors import BadConfig
from models.music.files import write_json

RULES = [{"metric": "timing_mae_ms", "tolerance": 0.05}, {"metric": "hit_f1", "better": "higher"}]


@pytest.fixture
def heard(tmp_path):
    write_json(tmp_path / "champion.json", {"timing_mae_ms": 10.0, "hit_f1": 0.9})
    return tmp_path


def test_a_model_that_is_no_worse_on_the_same_data_passes(heard):
    write_json(heard / "metrics.json", {"timing_mae_ms": 10.4, "hit_f1": 0.9})
    assert examine("groove", "model", heard, RULES, 0.0, "") == "passed"


def test_a_worse_model_is_held_back_and_log_and_record_say_why(heard, caplog):
    write_json(heard / "metrics.json", {"timing_mae_ms": 12.0, "hit_f1": 0.95})
    with caplog.at_level(logging.INFO), recording(heard / "record") as folder:
        assert examine("groove", "model", heard, RULES, 0.0, "") == "held back"
    assert "timing_mae_ms is 12, the champion's 10" in caplog.text
    [why] = Record(folder).of_kind("sentence")
    assert "timing_mae_ms is 12, the champion's 10" in why["text"].lower()


def test_a_misspelt_rule_is_told(heard):
    write_json(heard / "metrics.json", {"timing_mae_ms": 10.0})
    with pytest.raises(BadConfig, match="did you mean 'tolerance'"):
        examine("groove", "model", heard, [{"metric": "timing_mae_ms", "tolerence": 1.0}], 0.0, "")
