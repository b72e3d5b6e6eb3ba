"""From labelled one-shots to a served role scorer.  Run: jamflow run train-roles --data my-samples.zip"""

from kfp import dsl

from components.common import find_champion
from components.roles import evaluate_roles, gather_one_shots, prepare_one_shots, train_role_scorer
from pipelines.into_service import into_service


@dsl.pipeline(name="train-roles")
def train_roles(
    data: str = "practice",
    preset: str = "laptop",
    practice_sounds: int = -1,
    variants: int = 0,
    steps: int = 0,
    held_out: float = 0.25,
    minutes: float = 0.0,
    seed: int = 0,
    budget_ms: float = 0.0,
    where: dict = {},
) -> int:
    """Teach the learned voice of the roles, judge it beside the champion, and serve it if it is not worse.

    Args:
        seed: The same seed, the same training.
    """
    gathered = gather_one_shots(source=data, practice_sounds=practice_sounds, seed=seed, preset=preset)
    prepared = prepare_one_shots(one_shots=gathered.outputs["one_shots"], variants=variants, seed=seed, preset=preset)
    dataset = prepared.outputs["dataset"]
    model = train_role_scorer(
        dataset=dataset, steps=steps, preset=preset, held_out=held_out, minutes=minutes, seed=seed, where=where
    ).outputs["model"]
    champion = find_champion(name="roles", where=where).output
    judged = evaluate_roles(dataset=dataset, model=model, champion=champion, where=where).outputs["evaluation"]
    return into_service("roles", model=model, evaluation=judged, budget_ms=budget_ms, where=where)
