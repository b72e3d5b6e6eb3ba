"""From songs with known stems to a separator in service: what the pipelines of all that learn like one have in common.

    return separator_into_service("separator", data, practice_songs, preset, minutes, seed, closer, budget_ms, where)

A plain function: called while a pipeline is traced, it adds its stages there.
"""

from __future__ import annotations

from typing import Any

from components.common import find_champion
from components.separation import evaluate_separator, gather_stem_songs, prepare_stem_songs, train_separator_model
from pipelines.into_service import into_service


def separator_into_service(
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
    """Add the stages that teach, judge and serve a separator by this name; what comes back is its version."""
    gathered = gather_stem_songs(source=data, practice_songs=practice_songs)
    corpus = prepare_stem_songs(songs=gathered.outputs["songs"]).outputs["corpus"]
    taught = train_separator_model(corpus=corpus, preset=preset, minutes=minutes, seed=seed, where=where)
    model, champion = taught.outputs["model"], find_champion(name=name, where=where).output
    judged = evaluate_separator(
        corpus=corpus, model=model, closer=closer, champion=champion, name=name, where=where
    ).outputs["evaluation"]
    return into_service(name, model=model, evaluation=judged, budget_ms=budget_ms, where=where)
