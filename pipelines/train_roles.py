"""From labelled one-shots to a served role scorer.  Run: jamflow run train-roles --data my-samples.zip"""

from kfp import dsl

from components.common import find_champion
from components.roles import evaluate_roles, gather_one_shots, prepare_one_shots, train_role_scorer
from pipelines.into_service import into_service


@dsl.pipeline(name="train-roles")
def train_roles(
    data: str = "practice",
    practice_sounds: int = 40,
    variants: int = 6,
    steps: int = 400,
    held_out: float = 0.25,
    minutes: float = 0.0,
    seed: int = 0,
    budget_ms: float = 0.0,
    where: dict = {},
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
        budget_ms: Slowest answer that the gate lets through, 95th percentile; 0 takes the family's own.
    """
    gathered = gather_one_shots(source=data, practice_sounds=practice_sounds, seed=seed)
    prepared = prepare_one_shots(one_shots=gathered.outputs["one_shots"], variants=variants, seed=seed)
    dataset = prepared.outputs["dataset"]
    taught = train_role_scorer(dataset=dataset, steps=steps, held_out=held_out, minutes=minutes, seed=seed)
    model = taught.outputs["model"]
    champion = find_champion(name="roles", where=where).output
    judged = evaluate_roles(dataset=dataset, model=model, champion=champion, where=where).outputs["evaluation"]
    return into_service("roles", model=model, evaluation=judged, budget_ms=budget_ms, where=where)
