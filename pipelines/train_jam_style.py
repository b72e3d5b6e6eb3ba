"""A style for a soloist, as a LoRA on top of it.  Run: jamflow run train-jam-style --midi songs/ --style swing

What is served afterwards is the same base with one more style; the others play on as they were.
"""

from kfp import dsl

from components.common import find_champion
from components.jam import evaluate_jam, fetch_soloist, train_jam_style_model
from components.jam_data import gather_midi, part_roles
from pipelines.into_service import into_service


@dsl.pipeline(name="train-jam-style")
def train_jam_style(
    style: str,
    midi: str = "practice",
    base: str = "champion",
    preset: str = "laptop",
    minutes: float = 0.0,
    naming: str = "",
    seed: int = 0,
    budget_ms: float = 0.0,
    where: dict = {},
) -> int:
    """Teach the champion a style, judge it on the style's own pieces, and serve it if nothing has become worse.

    Args:
        midi: A folder, archive or snapshot of MIDI with a folder for each style, split as the base's was.
        seed: The same seed, the same training.
    """
    gathered = gather_midi(source=midi, seed=seed)
    roles = part_roles(midi=gathered.outputs["midi"], naming=naming).outputs["roles"]
    soloist = fetch_soloist(base=base, where=where).outputs["model"]
    model = train_jam_style_model(
        roles=roles, base=soloist, style=style, preset=preset, minutes=minutes, seed=seed, where=where
    ).outputs["model"]
    champion = find_champion(name="jam", where=where).output
    judged = evaluate_jam(roles=roles, model=model, style=style, champion=champion, where=where).outputs["evaluation"]
    return into_service("jam", model=model, evaluation=judged, budget_ms=budget_ms, where=where)
