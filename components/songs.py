"""Stages that bring songs, take their drums out, song by song and so side by side, and collect what was taken."""

from __future__ import annotations

from kfp.dsl import Dataset, Input, Output

from backstage.stage import stage


@stage(image="python-audio")
def gather_songs(song: str, songs: Output[Dataset], separation: bool = True, seed: int = 42) -> list:
    """Bring songs together, below mixes/ or, when they are drums already, below drums/; name each one.

    Args:
        song: A sound file, a folder tree, an archive, or an address (file://, s3://); "practice" plays one, drums only.
        separation: Take given songs for mixes.
        seed: Of the practice song.

    Returns:
        songs
    """
    from components.drum_stems import gather

    return gather(song, songs.path, separation, seed)


@stage(image="python-torch")
def take_drums(
    songs: Input[Dataset], drums: Output[Dataset], name: str, model: str = "htdemucs", skip_bad: bool = False
) -> int:
    """Take the drums out of one song below mixes/; one below drums/ is taken as it is.

    Args:
        songs: What gather-songs brought together.
        name: The song's path in there.
        model: Who separates: htdemucs, separator (it comes with Jamflow), or a model's folder.
        skip_bad: Leave a song out that cannot be read instead of stopping.

    Returns:
        songs
    """
    from components.drum_stems import take

    return take(songs.path, name, drums.path, model, skip_bad)


@stage(image="python-audio")
def collect_stems(taken: Input[list[Dataset]], stems: Output[Dataset]) -> int:
    """Bring what was taken out of many songs into one folder; count the files.

    Args:
        taken: A folder for each song.

    Returns:
        files
    """
    from components.drum_stems import collect

    return collect([each.path for each in taken], stems.path)
