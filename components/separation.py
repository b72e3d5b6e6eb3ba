"""Stages that separate songs into stems, song by song and so side by side."""

from __future__ import annotations

from kfp.dsl import Dataset, Input, Output

from backstage.stage import stage


@stage(image="python-torch")
def take_stems(
    songs: Input[Dataset],
    stems: Output[Dataset],
    name: str,
    model: str = "htdemucs",
    two_stems: str = "",
    format: str = "",
    stems_add_up: bool = False,
    skip_bad: bool = False,
) -> int:
    """Separate one song into stems with its own rate, channels, length and bit depth.

    Args:
        songs: What gather-songs brought together.
        name: The song's path in there.
        model: A folder with a separator's weights, the name of a pretrained one, or several with commas between
            (htdemucs:2,models/mine): their stems are averaged.
        two_stems: Only this stem, and everything else as a second one.
        format: wav, flac, ogg or mp3; nothing gives what the song is.
        stems_add_up: Share what is missing to the song among its stems, so that they sum to it.
        skip_bad: Leave a song out that cannot be read instead of stopping.

    Returns:
        songs
    """
    from components.stems import take
    from models.separation.delivery import Wishes

    return take(songs.path, name, stems.path, model, Wishes(format, two_stems, stems_add_up), skip_bad)


@stage(image="python-audio")
def collect_stems(taken: Input[list[Dataset]], stems: Output[Dataset]) -> int:
    """Bring the stems of many songs into one folder; count the files.

    Args:
        taken: A folder for each song.

    Returns:
        files
    """
    from components.drum_stems import collect

    return collect([each.path for each in taken], stems.path)
