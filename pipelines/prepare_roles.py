"""From a folder of MIDI to role samples.  Run: jamflow run prepare-roles --midi songs --out-dir roles

Without files the practice room plays some: --midi practice:200.
"""

from kfp import dsl
from kfp.dsl import Dataset

from components.jam_data import gather_midi, part_roles


@dsl.pipeline(name="prepare-roles")
def prepare_roles(
    midi: str = "practice",
    transpose: int = 0,
    split_pitch: int = 0,
    one_voice: bool = True,
    min_notes: int = 16,
    naming: str = "",
    style: str = "",
    processes: int = 0,
    seed: int = 0,
) -> Dataset:
    """Part MIDI into leads and the bands under them, with chords, each piece in one split.

    Args:
        midi: A folder, archive or snapshot of MIDI; "practice" synthesises 60 solos, "practice:200" so many.
    """
    gathered = gather_midi(source=midi, seed=seed)
    parted = part_roles(
        midi=gathered.outputs["midi"],
        transpose=transpose,
        split_pitch=split_pitch,
        one_voice=one_voice,
        min_notes=min_notes,
        naming=naming,
        style=style,
        processes=processes,
    )
    return parted.outputs["roles"]  # type: ignore[return-value]
