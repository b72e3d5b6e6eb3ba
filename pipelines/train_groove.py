"""From drum performances to a served groove model.  Run: jamflow run train-groove --data groove-v1.0.0-midionly.zip"""

from kfp import dsl

from components.common import deploy, gate, register
from components.groove import evaluate_groove, gather_grooves, prepare_grooves, train_groove_model

RULES = [
    {"metric": "timing_mae_ms", "tolerance": 0.02},
    {"metric": "velocity_mae", "tolerance": 0.02},
    {"metric": "timing_kl", "tolerance": 0.25},
    {"metric": "velocity_kl", "tolerance": 0.25},
]
"""What a challenger may not do worse than the champion, on the same held-out sessions."""


@dsl.pipeline(name="train-groove")
def train_groove(
    data: str = "practice",
    size: str = "laptop",
    minutes: float = 0.0,
    regressor_minutes: float = 0.0,
    seed: int = 0,
    budget_ms: float = 400.0,
    tracking_uri: str = "",
    artifacts_uri: str = "",
    home: str = "",
) -> int:
    """Teach a groove model, judge it beside the champion, and serve it if it is not worse.

    Args:
        seed: The same seed, the same training.
    """
    gathered = gather_grooves(source=data, seed=seed)
    prepared = prepare_grooves(performances=gathered.outputs["performances"])
    corpus = prepared.outputs["corpus"]
    model = train_groove_model(corpus=corpus, size=size, minutes=minutes, seed=seed, home=home).outputs["model"]
    judged = evaluate_groove(
        corpus=corpus,
        model=model,
        regressor_minutes=regressor_minutes,
        tracking_uri=tracking_uri,
        artifacts_uri=artifacts_uri,
    ).outputs["evaluation"]
    version = register(
        model=model, evaluation=judged, name="groove", tracking_uri=tracking_uri, artifacts_uri=artifacts_uri
    )
    verdict = gate(
        model=model, evaluation=judged, name="groove", rules=RULES, budget_ms=budget_ms, tracking_uri=tracking_uri
    )
    with dsl.If(verdict.output == "passed"):
        deploy(name="groove", version=version.output, tracking_uri=tracking_uri, artifacts_uri=artifacts_uri, home=home)
    return version.output  # type: ignore[return-value]
