"""From songs with known stems to a served separator.  Run: jamflow run train-separator --data musdb18hq.zip"""

from typing import Any

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
    return from_songs_into_service("separator", data, practice_songs, preset, minutes, seed, closer, budget_ms, where)


def from_songs_into_service(
    name: str,
    data: Any,
    practice_songs: Any,
    preset: Any,
    minutes: Any,
    seed: Any,
    closer: Any,
    budget_ms: Any,
    where: Any,
) -> Any:
    """Add all stages of a separator that is registered by this name; what comes back is its version."""
    gathered = gather_stem_songs(source=data, practice_songs=practice_songs)
    corpus = prepare_stem_songs(songs=gathered.outputs["songs"]).outputs["corpus"]
    taught = train_separator_model(corpus=corpus, preset=preset, minutes=minutes, seed=seed, where=where)
    model, champion = taught.outputs["model"], find_champion(name=name, where=where).output
    judged = evaluate_separator(
        corpus=corpus, model=model, closer=closer, champion=champion, name=name, where=where
    ).outputs["evaluation"]
    return into_service(name, model=model, evaluation=judged, budget_ms=budget_ms, where=where)
