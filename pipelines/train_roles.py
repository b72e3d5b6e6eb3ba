"""From labelled one-shots to a served role scorer.  Run: jamflow run train-roles --data my-samples.zip"""

from kfp import dsl

from components.common import deploy, gate, register
from components.roles import evaluate_roles, gather_one_shots, prepare_one_shots, train_role_scorer

RULES = [
    {"metric": "macro_accuracy", "better": "higher", "tolerance": 0.02},
    {"metric": "calibration_error", "tolerance": 0.25},
]
"""What a challenger may not do worse than the champion, on the same held-out makers."""


@dsl.pipeline(name="train-roles")
def train_roles(
    data: str = "practice",
    practice_sounds: int = 40,
    variants: int = 6,
    steps: int = 400,
    held_out: float = 0.25,
    minutes: float = 0.0,
    seed: int = 0,
    budget_ms: float = 200.0,
    tracking_uri: str = "",
    artifacts_uri: str = "",
    home: str = "",
) -> int:
    """Teach the learned voice of the roles, judge it beside the champion, and serve it if it is not worse.

    Args:
        data: Folder, archive or snapshot of one-shots in folders named by label, top folders by maker; or "practice".
        practice_sounds: Synthesised sounds of every kind to learn from besides.
        variants: Variations of every sound.
        steps: How long a listener learns.
        held_out: Share of the makers left for the evaluation.
        minutes: Longest time to teach; 0 sets none.
        seed: The same seed, the same training.
        budget_ms: Slowest answer that the gate lets through, 95th percentile.
    """
    gathered = gather_one_shots(source=data, practice_sounds=practice_sounds, seed=seed)
    prepared = prepare_one_shots(one_shots=gathered.outputs["one_shots"], variants=variants, seed=seed)
    dataset = prepared.outputs["dataset"]
    taught = train_role_scorer(dataset=dataset, steps=steps, held_out=held_out, minutes=minutes, seed=seed, home=home)
    model = taught.outputs["model"]
    judged = evaluate_roles(
        dataset=dataset, model=model, tracking_uri=tracking_uri, artifacts_uri=artifacts_uri
    ).outputs["evaluation"]
    version = register(
        model=model, evaluation=judged, name="roles", tracking_uri=tracking_uri, artifacts_uri=artifacts_uri
    )
    verdict = gate(
        model=model, evaluation=judged, name="roles", rules=RULES, budget_ms=budget_ms, tracking_uri=tracking_uri
    )
    with dsl.If(verdict.output == "passed"):
        deploy(name="roles", version=version.output, tracking_uri=tracking_uri, artifacts_uri=artifacts_uri, home=home)
    return version.output  # type: ignore[return-value]
