import re

import pytest

from backstage.comparison import figures_html
from backstage.record import Record
from backstage.tracking import log_metrics, recording
from models.music.figures import Figure

FIGURES = {
    "timing_mae_ms": Figure("timing error", "ms", better="lower"),
    "hit_f1": Figure("hits found", "F1", better="higher"),
    "windows": Figure("windows"),
}
CHAMPION = {"timing_mae_ms": 19.5, "hit_f1": 0.9, "windows": 60.0}
MEANS = {"quantised": {"timing_mae_ms": 22.9}, "drum <mean>": {"timing_mae_ms": 18.0, "hit_f1": 0.5}}


@pytest.fixture
def shown(tmp_path) -> str:
    with recording(tmp_path) as folder:
        values = {"hit_f1": 0.9, "timing_mae_ms": 19.2, "windows": 60.0, "gradient_norm": 1.5}
        log_metrics(values, figures=FIGURES, beside={"champion": CHAMPION, **MEANS})
    return figures_html(Record(folder))


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_a_figure_has_name_and_unit_and_says_whether_it_is_better_than_the_champion_and_the_best_other(shown):
    tile = "19.2 ms timing error ▲ better than champion, 19.5 ▼ worse than drum &lt;mean&gt;, 18"
    assert tile in words(shown)
    assert "0.9 F1 hits found = equal to champion, 0.9 ▲ better than drum &lt;mean&gt;, 0.5" in words(shown)
    assert "class='better'" in shown, "a colour besides the words"
    assert "class='worse'" in shown


def test_a_figure_without_a_better_way_is_compared_with_nobody(shown):
    assert "60 windows Beside everybody" in words(shown)


def test_everybodys_figures_stand_in_one_table(shown):
    table = words(shown[shown.index("Beside everybody") :])
    assert "this one champion quantised drum &lt;mean&gt;" in table
    assert "timing error ms, lower is better 19.2 19.5 beaten 22.9 beaten 18 ahead" in table
    assert "hits found F1, higher is better 0.9 0.9 equal 0.5 beaten" in table


def test_what_a_stage_declares_is_in_sight_in_its_order_and_the_rest_one_touch_away(shown):
    assert shown.index("timing error") < shown.index("hits found")
    assert shown.index("1 more") < shown.index("gradient norm", shown.index("1 more"))
    assert "gradient" not in shown[: shown.index("<details>")]


def test_a_stage_without_figures_shows_none(tmp_path):
    assert figures_html(Record(tmp_path)) == ""
