"""The verdict over one sample from what the voices said: pure, no files, no networks.

jury = Jury(RuleScoring(), Fusion(), Guards())
result = jury.decide(features, clap=p_clap, learned=p_learned, sample_id="hit")
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.drums.roles.fusion import Fusion
from models.drums.roles.guards import Guards
from models.drums.roles.rules import RuleScoring
from models.drums.roles.trust import Trust
from models.drums.roles.types import DSPFeatures, SampleResult, ScoreBundle, ScoreVector


@dataclass(frozen=True)
class Jury:
    """How voices are weighed, corrected and made a confidence."""

    rules: RuleScoring = field(default_factory=RuleScoring)
    fusion: Fusion = field(default_factory=Fusion)
    guards: Guards = field(default_factory=Guards)
    trust: Trust = field(default_factory=Trust)
    """The learned scorer's own, fitted on makers it did not hear."""

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
        fused, alpha = self.fusion.fuse(rule, clap)
        final, fired = self.guards.apply(fused, features)
        calibration, share = self.fusion.rule_calibration, 0.0
        if learned is not None:
            final, share = self.fusion.join(final, learned, self.trust)
            calibration = self.trust.calibration
        debug = {
            "weights": {"rule": (1 - share) * alpha, "clap": (1 - share) * (1 - alpha), "learned": share},
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
