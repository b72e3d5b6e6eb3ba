"""From MIDI to a served soloist.  Run: jamflow run train-jam-base --midi songs/ --preset laptop

Without files the practice room's solos teach it. An interrupted training goes on where it was: run the same again.
"""

from kfp import dsl

from components.common import find_champion
from components.jam import evaluate_jam, train_jam_base_model
from components.jam_data import gather_midi, part_roles
from pipelines.into_service import into_service


@dsl.pipeline(name="train-jam-base")
def train_jam_base(
    midi: str = "practice",
    preset: str = "laptop",
    minutes: float = 0.0,
    form: str = "chords",
    naming: str = "",
    style: str = "",
    seed: int = 0,
    budget_ms: float = 0.0,
    where: dict = {},
) -> int:
    """Teach a soloist on the leads of MIDI files, judge it beside the champion, and serve it if it is not worse.

    Args:
        midi: A folder, archive or snapshot of MIDI; "practice" synthesises 60 solos, "practice:200" so many.
        seed: The same seed, the same training.
    """
    gathered = gather_midi(source=midi, seed=seed)
    roles = part_roles(midi=gathered.outputs["midi"], naming=naming, style=style).outputs["roles"]
    model = train_jam_base_model(
        roles=roles, preset=preset, minutes=minutes, form=form, seed=seed, where=where
    ).outputs["model"]
    champion = find_champion(name="jam", where=where).output
    judged = evaluate_jam(roles=roles, model=model, champion=champion, where=where).outputs["evaluation"]
    return into_service("jam", model=model, evaluation=judged, budget_ms=budget_ms, where=where)
