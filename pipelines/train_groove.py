"""From drum performances to a served groove model.  Run: jamflow run train-groove --data groove-v1.0.0-midionly.zip"""

from kfp import dsl

from components.common import find_champion
from components.groove import evaluate_groove, gather_grooves, prepare_grooves, train_groove_model
from pipelines.into_service import into_service


@dsl.pipeline(name="train-groove")
def train_groove(
    data: str = "practice",
    preset: str = "laptop",
    minutes: float = 0.0,
    regressor_minutes: float = -1.0,
    seed: int = 0,
    budget_ms: float = 0.0,
    where: dict = {},
) -> int:
    """Teach a groove model, judge it beside the champion, and serve it if it is not worse.

    Args:
        seed: The same seed, the same training.
    """
    gathered = gather_grooves(source=data, seed=seed)
    prepared = prepare_grooves(performances=gathered.outputs["performances"])
    corpus = prepared.outputs["corpus"]
    model = train_groove_model(corpus=corpus, preset=preset, minutes=minutes, seed=seed, where=where).outputs["model"]
    champion = find_champion(name="groove", where=where).output
    judged = evaluate_groove(
        corpus=corpus, model=model, champion=champion, regressor_minutes=regressor_minutes, preset=preset, where=where
    ).outputs["evaluation"]
    return into_service("groove", model=model, evaluation=judged, budget_ms=budget_ms, where=where)
