"""The gate lets a model through that is finite, in time and not worse."""

import pytest
from served_house import tiny_groove

from models.music.errors import GateFailed
from models.music.figures import Figure
from serving.families import family
from serving.gate import Rule, judge, latency_ms

RULES = [Rule("timing_mae_ms", tolerance=0.02), Rule("hit_f1", tolerance=0.0, limit=0.5)]
FIGURES = {
    "timing_mae_ms": Figure("timing error", "ms", better="lower"),
    "hit_f1": Figure("hits", "F1", better="higher"),
}
CHAMPION = {"timing_mae_ms": 20.0, "hit_f1": 0.8}


@pytest.mark.parametrize("figures", [{"timing_mae_ms": 19.0, "hit_f1": 0.9}, {"timing_mae_ms": 20.4, "hit_f1": 0.8}])
def test_a_better_model_and_one_within_tolerance_pass(figures):
    verdict = judge(figures, CHAMPION, RULES, FIGURES, latency_ms=10, budget_ms=20)
    assert verdict.passed
    assert verdict.reasons == ("not worse than the champion in timing error, hits.",)
    verdict.require()


def test_the_first_model_has_nobody_to_beat_but_the_bar():
    assert judge({"timing_mae_ms": 90.0, "hit_f1": 0.5}, None, RULES, FIGURES).passed
    assert not judge({"timing_mae_ms": 10.0, "hit_f1": 0.4}, None, RULES, FIGURES).passed


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        (
            {"timing_mae_ms": 20.5, "hit_f1": 0.8},
            r"timing error 20.5 ms; the champion's is 20 \(lower is better, 2% allowed\)\.",
        ),
        (
            {"timing_mae_ms": 20.0, "hit_f1": 0.7},
            r"hits 0.7 F1; the champion's is 0.8 \(higher is better, 0% allowed\)\.",
        ),
        ({"timing_mae_ms": float("nan"), "hit_f1": 0.8}, r"timing error is nan\."),
        ({"timing_mae_ms": 20.0}, r"hits was not measured\."),
    ],
)
def test_a_worse_or_unmeasured_model_is_stopped_with_the_reason(figures, reason):
    with pytest.raises(GateFailed, match=reason):
        judge(figures, CHAMPION, RULES, FIGURES).require()


def test_a_slow_model_is_stopped():
    assert judge({}, None, [], {}, latency_ms=21, budget_ms=20).reasons == ("it answers in 21 ms; 20 ms are allowed.",)


def test_a_tiny_groove_model_answers_within_its_budget(tmp_path):
    assert 0 < latency_ms("groove", tiny_groove(tmp_path / "model", 1), times=5) < family("groove").budget_ms
