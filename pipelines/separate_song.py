"""Songs become stems.  Run: jamflow run separate-song --song song.wav --out-dir stems

Each song is a stage of its own: what is done stays done when the run is stopped and started again.
"""

from kfp import dsl
from kfp.dsl import Dataset

from components.separation import take_stems
from components.songs import collect_stems, gather_songs


@dsl.pipeline(name="separate-song")
def separate_song(
    song: str,
    model: str = "htdemucs",
    two_stems: str = "",
    format: str = "",
    stems_add_up: bool = False,
    steps: int = 0,
    seed: int = 0,
    preview: bool = False,
    skip_bad: bool = False,
) -> Dataset:
    """Separate songs into stems, each in a folder of its own name.

    Args:
        song: A sound file, a folder tree, an archive, or an address (file://, s3://).
    """
    gathered = gather_songs(song=song)
    with dsl.ParallelFor(gathered.outputs["Output"]) as name:
        taken = take_stems(
            songs=gathered.outputs["songs"],
            name=name,
            model=model,
            two_stems=two_stems,
            format=format,
            stems_add_up=stems_add_up,
            steps=steps,
            seed=seed,
            preview=preview,
            skip_bad=skip_bad,
        )
    collected = collect_stems(taken=dsl.Collected(taken.outputs["stems"]))
    return collected.outputs["stems"]  # type: ignore[return-value]
