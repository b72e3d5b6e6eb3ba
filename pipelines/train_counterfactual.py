"""From songs to a served counterfactual separator.  Run: jamflow run train-counterfactual --data my-songs"""

from kfp import dsl

from components.common import find_champion
from components.counterfactual import evaluate_counterfactual, train_counterfactual_model
from components.separation import gather_stem_songs, prepare_stem_songs
from pipelines.into_service import into_service


@dsl.pipeline(name="train-counterfactual")
def train_counterfactual(
    data: str = "practice",
    practice_songs: int = 40,
    preset: str = "laptop",
    minutes: float = 0.0,
    seed: int = 0,
    steps: int = 0,
    budget_ms: float = 0.0,
    where: dict = {},
) -> int:
    """Teach a separator that imagines songs without their singer, judge it beside the champion, and serve it if it is not worse.

    Args:
        seed: The same seed, the same training.
    """
    gathered = gather_stem_songs(source=data, practice_songs=practice_songs)
    corpus = prepare_stem_songs(songs=gathered.outputs["songs"]).outputs["corpus"]
    model = train_counterfactual_model(corpus=corpus, preset=preset, minutes=minutes, seed=seed, where=where).outputs[
        "model"
    ]
    champion = find_champion(name="counterfactual", where=where).output
    judged = evaluate_counterfactual(corpus=corpus, model=model, steps=steps, champion=champion, where=where)
    return into_service(
        "counterfactual", model=model, evaluation=judged.outputs["evaluation"], budget_ms=budget_ms, where=where
    )
