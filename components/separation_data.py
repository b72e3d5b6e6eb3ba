"""Stages that bring songs with stems together and prepare them to be learnt from, for every separator alike."""

from __future__ import annotations

from kfp.dsl import Dataset, Input, Output

from backstage.stage import stage


@stage(image="python-audio")
def gather_stems(source: str, songs: Output[Dataset], count: int = 40) -> str:
    """Bring songs with stems together: given ones, or the practice room's.

    Args:
        source: A folder tree, archive or address with a folder of stems for each song, or MUSDB18; "practice" makes some.
        count: Practice songs to learn from; a tenth as many, 4 at least, are held out for each examination.

    Returns:
        data
    """
    from backstage.storage import bring
    from models.practice.stem_songs import write_stem_songs
    from models.separation.songs import find_songs

    if source == "practice":
        held_out = max(4, count // 10)
        write_stem_songs(songs.path, {"train": count, "valid": held_out, "test": held_out})
        return f"practice {count}"
    return bring(source, songs.path, find_songs)[:12]


@stage(image="python-audio")
def prepare_stems(songs: Input[Dataset], corpus: Output[Dataset]) -> int:
    """Read songs once, every one in a single split, and write them so that they are quick to draw from.

    Args:
        songs: A folder of stems for each song.

    Returns:
        training songs
    """
    from backstage.tracking import log_metrics
    from models.separation.dataset import prepare

    prepared = prepare(songs.path, corpus.path)
    log_metrics({f"{split} songs": count for split, count in prepared.summary["songs"].items()})
    return prepared.summary["songs"]["train"]
