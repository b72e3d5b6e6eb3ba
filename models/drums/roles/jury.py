"""The verdict over one sample from what the voices said: pure, no files, no networks.

jury = Jury(RuleScoring(), Fusion(), Guards())
result = jury.decide(features, clap=p_clap, learned=p_learned, sample_id="hit")
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.drums.roles.calibration import Calibration
from models.drums.roles.fusion import Fusion
from models.drums.roles.guards import Guards
from models.drums.roles.rules import RuleScoring
from models.drums.roles.types import DSPFeatures, SampleResult, ScoreBundle, ScoreVector


@dataclass(frozen=True)
class Jury:
    """How voices are weighed, corrected and made a confidence."""

    rules: RuleScoring = field(default_factory=RuleScoring)
    fusion: Fusion = field(default_factory=Fusion)
    guards: Guards = field(default_factory=Guards)
    learned_calibration: Calibration | None = None
    """The learned scorer's own, fitted on makers it did not hear; the rules' is used without that voice."""

    def decide(
        self,
        features: DSPFeatures,
        clap: ScoreVector | None = None,
        learned: ScoreVector | None = None,
        *,
        sample_id: str = "",
        filepath: str = "",
        clap_similarities: Mapping[str, float] | None = None,
    ) -> SampleResult:
        """Return the sample's result with every score and every reason."""
        raw, penalties = self.rules.raw_scores(features)
        rule = self.rules.probabilities(raw)
        fused, weights = self.fusion.fuse(rule, clap, learned)
        final, fired = self.guards.apply(fused, features)
        calibration = self.fusion.rule_calibration
        if learned is not None and self.learned_calibration is not None:
            calibration = self.learned_calibration
        debug = {
            "weights": weights,
            "texture_penalties": penalties,
            "guards": fired,
            "uncertain": final.margin() < self.fusion.margin_threshold,
        }
        bundle = ScoreBundle(rule, clap, learned, final, calibration.confidence(final.margin()))
        return SampleResult(
            sample_id=sample_id,
            filepath=filepath,
            role=final.argmax(),
            scores=bundle,
            features=features,
            clap_similarities=dict(clap_similarities or {}),
            rule_raw_scores=raw.as_dict(),
            debug=debug,
        )
