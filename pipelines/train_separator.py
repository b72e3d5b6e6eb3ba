"""From songs with known stems to a served separator.  Run: jamflow run train-separator --data musdb18hq.zip"""

from kfp import dsl

from components.common import find_champion
from components.separation import evaluate_separator, gather_stem_songs, prepare_stem_songs, train_separator_model
from pipelines.into_service import into_service


@dsl.pipeline(name="train-separator")
def train_separator(
    data: str = "practice",
    practice_songs: int = 40,
    preset: str = "laptop",
    minutes: float = 0.0,
    seed: int = 0,
    closer: int = 0,
    budget_ms: float = 0.0,
    where: dict = {},
) -> int:
    """Teach a separator, judge it beside the champion, and serve it if it is not worse.

    Args:
        seed: The same seed, the same training.
    """
    gathered = gather_stem_songs(source=data, practice_songs=practice_songs)
    corpus = prepare_stem_songs(songs=gathered.outputs["songs"]).outputs["corpus"]
    model = train_separator_model(corpus=corpus, preset=preset, minutes=minutes, seed=seed, where=where).outputs[
        "model"
    ]
    champion = find_champion(name="separator", where=where).output
    judged = evaluate_separator(corpus=corpus, model=model, closer=closer, champion=champion, where=where)
    return into_service(
        "separator", model=model, evaluation=judged.outputs["evaluation"], budget_ms=budget_ms, where=where
    )
