"""Rules, fusion, guards and confidence: the users' numbers, to the letter."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from models.drums.roles.assigner import SETTINGS_FILE, RoleAssignerConfig
from models.drums.roles.calibration import Calibration, expected_calibration_error, fit_calibration
from models.drums.roles.fusion import Fusion
from models.drums.roles.guards import GUARDS, Guards
from models.drums.roles.jury import Jury
from models.drums.roles.rules import RuleScoring
from models.drums.roles.trust import NUMBERS, Trust, fit_trust
from models.drums.roles.types import ROLES, DSPFeatures, Role, ScoreVector
from models.music.config import read_yaml
from models.music.errors import BadConfig, BadInput
from serving.contracts.roles import N_TRUST

MIDDLING = DSPFeatures(0.4, 0.5, 0.1, 0.5, 0.3, 0.4, 0.3, 0.2, 0.1, 0.2, 0.5)


def scores(**shares: float) -> ScoreVector:
    return ScoreVector(tuple(shares.get(role.value, 0.0) for role in ROLES))


def test_the_rules_are_the_written_formulas():
    raw, penalties = RuleScoring().raw_scores(MIDDLING)
    energy, sharp, fast, decay, low, mid, high = 0.4, 0.5, 0.9, 0.5, 0.3, 0.4, 0.3
    short = 1 - decay
    assert penalties == []
    assert raw[Role.CORE] == pytest.approx(0.40 * low + 0.25 * fast + 0.25 * short + 0.10 * (1 - sharp))
    assert raw[Role.ACCENT] == pytest.approx(0.35 * energy + 0.35 * sharp + 0.20 * mid + 0.10 * short)
    assert raw[Role.MOTION] == pytest.approx(0.40 * high + 0.20 * (1 - energy) + 0.25 * short + 0.15 * sharp)
    assert raw[Role.FILL] == pytest.approx(0.30 * energy + 0.35 * decay + 0.25 * sharp + 0.10 * mid)
    assert raw[Role.TEXTURE] == pytest.approx(
        0.45 * decay + 0.25 * (1 - sharp) + 0.20 * (low + mid) + 0.10 * (1 - energy)
    )


def test_the_texture_penalty_falls_on_percussive_and_on_clean_samples():
    rules = RuleScoring()
    plain = rules.raw_scores(MIDDLING)[0][Role.TEXTURE]
    clean, why = rules.raw_scores(dataclasses.replace(MIDDLING, flatness=0.01))
    assert why == ["not_noisy"]
    assert clean[Role.TEXTURE] == pytest.approx(plain - 0.18)
    percussive = dataclasses.replace(MIDDLING, sharpness=0.56, decay=0.34)
    assert rules.raw_scores(percussive)[1] == ["percussive"]
    assert rules.raw_scores(dataclasses.replace(percussive, sharpness=0.55))[1] == []


def test_p_rule_is_a_softmax():
    raw = ScoreVector((0.1, 0.2, 0.3, 0.4, 0.5))
    p = np.array(RuleScoring().probabilities(raw).values)
    assert p.sum() == pytest.approx(1)
    assert p[4] / p[0] == pytest.approx(np.exp(0.4))


def test_the_shipped_settings_are_the_defaults_and_name_every_number():
    assert RoleAssignerConfig.from_yaml() == RoleAssignerConfig()
    shipped = read_yaml(SETTINGS_FILE)
    assert list(shipped) == ["audio", "dsp", "rule_scoring", "clap", "fusion", "guards", "pool"]
    for section, values in shipped.items():
        fields = dataclasses.fields(getattr(RoleAssignerConfig(), section))
        assert set(values) == {field.name for field in fields}


def test_a_wrong_setting_names_its_place():
    with pytest.raises(BadConfig, match="alpha"):
        RoleAssignerConfig.from_dict({"fusion": {"alpa": 0.5}})
    with pytest.raises(BadConfig, match="ACCENT"):
        RoleAssignerConfig.from_dict({"fusion": {"role_bias": {"ACENT": 2.0}}})


def test_voices_are_weighed_and_a_silent_voice_leaves_its_weight():
    rule, clap, learned = scores(CORE=1.0), scores(ACCENT=1.0), scores(MOTION=1.0)
    fusion = Fusion(alpha=0.9, learned_weight=0.5)
    formula, alpha = fusion.fuse(rule, clap)
    fused, share = fusion.join(formula, learned, Trust())
    assert fused.as_dict() == pytest.approx({"CORE": 0.45, "ACCENT": 0.05, "MOTION": 0.5, "FILL": 0, "TEXTURE": 0})
    assert (alpha, share) == (0.9, 0.5)
    assert fusion.fuse(rule, clap)[0][Role.CORE] == pytest.approx(0.9)
    assert fusion.fuse(rule)[0][Role.CORE] == pytest.approx(1)


def test_a_role_bias_lifts_its_role():
    even = ScoreVector((0.2,) * 5)
    fused, _ = Fusion(role_bias={"FILL": 2.0}).fuse(even)
    assert fused[Role.FILL] == pytest.approx(2 / 6)


def test_adaptive_alpha_follows_the_larger_margin_within_its_limits():
    unsure, sure = ScoreVector((0.22, 0.2, 0.2, 0.2, 0.18)), scores(MOTION=0.9, CORE=0.1)
    adaptive = Fusion(adaptive=True)
    assert adaptive.fuse(unsure, sure)[1] == pytest.approx(0.6)
    assert adaptive.fuse(sure, unsure)[1] == pytest.approx(0.98)
    assert Fusion().fuse(unsure, sure)[1] == pytest.approx(0.9)


FIRES = {
    "texture_suppress": (scores(TEXTURE=0.6, CORE=0.4), {"sharpness": 0.61, "decay": 0.31}, Role.TEXTURE),
    "sustained_noise": (scores(CORE=0.6, MOTION=0.4), {"decay": 0.71, "flatness": 0.26, "high_ratio": 0.9}, Role.CORE),
    "motion_minimum": (scores(MOTION=0.6, CORE=0.4), {"high_ratio": 0.1}, Role.MOTION),
    "fill_conservative": (scores(FILL=0.52, CORE=0.48), {"high_ratio": 0.9}, Role.FILL),
    "low_confidence_texture": (scores(TEXTURE=0.52, CORE=0.48), {"high_ratio": 0.9}, Role.TEXTURE),
}


@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_fires_is_named_and_can_be_switched_off(guard):
    before, changes, weakened = FIRES[guard]
    features = dataclasses.replace(MIDDLING, **changes)
    only = Guards(**{name: name == guard for name in GUARDS})
    after, fired = only.apply(before, features)
    assert fired == [guard]
    assert after[weakened] < before[weakened]
    assert sum(after) == pytest.approx(1)
    off, fired = dataclasses.replace(only, **{guard: False}).apply(before, features)
    assert fired == []
    assert off == before


def test_the_guards_numbers_are_the_written_ones():
    percussive = dataclasses.replace(MIDDLING, sharpness=0.61, decay=0.31)
    only = Guards(**{name: name == "texture_suppress" for name in GUARDS})
    after, _ = only.apply(scores(TEXTURE=0.5, CORE=0.5), percussive)
    assert after[Role.TEXTURE] / after[Role.CORE] == pytest.approx(0.60)
    assert only.apply(scores(TEXTURE=1.0), dataclasses.replace(percussive, decay=0.32))[1] == []
    only = Guards(**{name: name == "motion_minimum" for name in GUARDS})
    after, _ = only.apply(scores(MOTION=0.5, CORE=0.5), dataclasses.replace(MIDDLING, high_ratio=0.0))
    assert after[Role.MOTION] / after[Role.CORE] == pytest.approx(0.70)


def test_a_clear_fill_stays_and_an_unclear_one_yields_to_the_second():
    guards = Guards()
    bright = dataclasses.replace(MIDDLING, high_ratio=0.9)
    assert guards.apply(scores(FILL=0.6, CORE=0.4), bright)[0].argmax() is Role.FILL
    assert guards.apply(scores(FILL=0.55, CORE=0.45), bright)[0].argmax() is Role.CORE


def test_a_calibrated_confidence_is_honest():
    random = np.random.default_rng(3)
    margins = random.random(4000)
    right = random.random(4000) < 1 / (1 + np.exp(-(4 * margins - 1)))
    fitted = fit_calibration(margins, right)
    assert fitted.slope == pytest.approx(4, abs=0.4)
    assert expected_calibration_error([fitted.confidence(m) for m in margins], right) < 0.03
    assert expected_calibration_error(np.full(4000, 0.99), right) > 0.2
    with pytest.raises(BadInput, match="0 margins"):
        fit_calibration([], [])


def voices(random, strength, size=3000):
    """True roles, and what a voice says of them that is as strong as told for each role."""
    truth = random.integers(0, len(ROLES), size)
    heard = random.standard_normal((size, len(ROLES)))
    heard[np.arange(size), truth] += np.asarray(strength)[truth]
    shares = np.exp(heard)
    return truth, shares / shares.sum(1, keepdims=True)


def test_each_voice_is_heeded_for_the_roles_that_it_knows():
    random = np.random.default_rng(5)
    truth, learned = voices(random, (3, 3, 3, 0, 3))
    heard = random.standard_normal(learned.shape)
    heard[truth == 3, 3] += 4
    formula = np.exp(heard) / np.exp(heard).sum(1, keepdims=True)
    trust = fit_trust(formula, learned, truth, np.arange(len(truth)) % 4)
    assert trust.formula[3] > 3 * max(trust.formula[:3])
    final = [trust.weigh(ScoreVector(tuple(f)), ScoreVector(tuple(p))) for f, p in zip(formula, learned, strict=True)]
    right = np.array([ROLES.index(each.argmax()) for each in final]) == truth
    assert right.mean() > 0.05 + max((voice.argmax(1) == truth).mean() for voice in (formula, learned))
    sure = [trust.calibration.confidence(each.margin()) for each in final]
    assert expected_calibration_error(sure, right) < 0.05


def test_a_voice_that_knows_nothing_changes_nothing():
    random = np.random.default_rng(6)
    truth, learned = voices(random, (2,) * 5, 400)
    noise = random.dirichlet(np.ones(5), 400)
    trust = fit_trust(noise, learned, truth, np.arange(len(truth)) % 4)
    assert trust.share_of_learned() == 1.0
    assert Trust().weigh(ScoreVector(tuple(noise[0])), ScoreVector(tuple(learned[0]))).values == pytest.approx(
        learned[0]
    )


def test_a_model_of_an_older_version_is_heeded_alone():
    trust = Trust.told({"calibration": {"slope": 20.0, "offset": -0.6}})
    assert trust.calibration == Calibration(slope=20.0, offset=-0.6)
    assert trust.weigh(scores(CORE=0.9, FILL=0.1), scores(FILL=0.6, CORE=0.4)).argmax() is Role.FILL


def test_trust_survives_the_wire():
    random = np.random.default_rng(7)
    truth, learned = voices(random, (2,) * 5, 300)
    trust = fit_trust(random.dirichlet(np.ones(5), 300), learned, truth, np.arange(len(truth)) % 4)
    told = Trust.from_array(trust.as_array())
    assert told.as_array() == pytest.approx(trust.as_array())
    assert len(trust.as_array()) == NUMBERS == N_TRUST


def test_clean_data_keep_a_finite_calibration():
    fitted = fit_calibration([0.5] * 50, [True] * 50)
    assert 0.9 < fitted.confidence(0.5) < 1


def test_the_verdict_says_who_spoke_and_why():
    jury = Jury(trust=Trust(calibration=Calibration(slope=0.0, offset=2.0)))
    alone = jury.decide(MIDDLING, sample_id="a")
    assert alone.scores.learned is None
    assert alone.debug["weights"]["rule"] == 1
    heard = jury.decide(MIDDLING, learned=scores(CORE=1.0), sample_id="a")
    assert heard.role is Role.CORE
    assert heard.scores.confidence == pytest.approx(1 / (1 + np.exp(-2)))
    entry = heard.as_dict()
    assert set(entry["scores"]) == {"rule", "learned", "final"}
    assert set(entry["features"]) == {field.name for field in dataclasses.fields(DSPFeatures)}


def test_a_score_vector_sorts_and_has_a_margin():
    vector = ScoreVector((0.1, 0.5, 0.2, 0.15, 0.05))
    assert vector.argmax() is Role.ACCENT
    assert [role for role, _ in vector.sorted()][:2] == [Role.ACCENT, Role.MOTION]
    assert vector.margin() == pytest.approx(0.3)
    with pytest.raises(BadInput, match="4 values"):
        ScoreVector((0.1, 0.2, 0.3, 0.4))
