"""From drum performances to a served groove model.  Run: jamflow run train-groove --data groove-v1.0.0-midionly.zip"""

from kfp import dsl

from components.common import find_champion
from components.groove import evaluate_groove, gather_grooves, prepare_grooves, train_groove_model
from pipelines.into_service import into_service


@dsl.pipeline(name="train-groove")
def train_groove(
    data: str = "practice",
    size: str = "laptop",
    minutes: float = 0.0,
    regressor_minutes: float = 0.0,
    seed: int = 0,
    budget_ms: float = 0.0,
    where: dict = {},
) -> int:
    """Teach a groove model, judge it beside the champion, and serve it if it is not worse.

    Args:
        data: Folder, archive or snapshot of MIDI in the Groove MIDI Dataset's layout; "practice" synthesises some.
        size: tiny, laptop, studio or published.
        minutes: Longest time to teach; 0 teaches until the preset ends.
        regressor_minutes: Teach the BiLSTM regressor for so long and set it beside.
        seed: The same seed, the same training.
        budget_ms: Slowest answer that the gate lets through, 95th percentile; 0 takes the family's own.
    """
    gathered = gather_grooves(source=data, seed=seed)
    prepared = prepare_grooves(performances=gathered.outputs["performances"])
    corpus = prepared.outputs["corpus"]
    model = train_groove_model(corpus=corpus, size=size, minutes=minutes, seed=seed, where=where).outputs["model"]
    champion = find_champion(name="groove", where=where).output
    judged = evaluate_groove(
        corpus=corpus, model=model, champion=champion, regressor_minutes=regressor_minutes, where=where
    ).outputs["evaluation"]
    return into_service("groove", model=model, evaluation=judged, budget_ms=budget_ms, where=where)
