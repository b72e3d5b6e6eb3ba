"""Stages that turn songs into one-shots: take the drums out, cut them into hits, keep one of every drum."""

from __future__ import annotations

from kfp.dsl import Dataset, Input, Output

from backstage.stage import stage


@stage(image="python-torch")
def separate_drums(
    song: Input[Dataset], drums: Output[Dataset], model: str = "htdemucs", skip_bad: bool = False
) -> int:
    """Take the drums out of songs; count the songs.

    Args:
        song: A sound file, or a folder tree of them.
        model: Who separates: htdemucs, separator (it comes with Jamflow), or a model's folder.
        skip_bad: Leave out what cannot be read instead of stopping.

    Returns:
        songs
    """
    from components.drum_stems import take_all

    return take_all(song.path, drums.path, model, skip_bad)


@stage(image="python-torch")
def preprocess(
    song: Input[Dataset],
    hits: Output[Dataset],
    separation: bool = True,
    model: str = "htdemucs",
    threshold: float = 1.0,
    merge: str = "alike",
    one_shots: bool = False,
    skip_bad: bool = False,
    max_hits: int = 0,
) -> int:
    """Cut songs into de-duplicated one-shots, dummy_00001.wav and so on; count them.

    Args:
        song: A sound file, or a folder tree of them.
        separation: Take the drums out first; --no-separation when it is drums already.
        model: Who separates: htdemucs, separator (it comes with Jamflow), or a model's folder.
        threshold: Strength a hit needs; 0.8 hears more ghost notes, 1.5 only clear hits.
        merge: alike keeps one of every drum, copies only leaves out what is the same recording.
        one_shots: Every file is one hit already, as in a sample library.
        skip_bad: Leave out what cannot be read instead of stopping.
        max_hits: Keep at most so many drums, those heard most often; 0 keeps all.

    Returns:
        one-shots
    """
    from backstage.tracking import log_metrics, log_picture
    from components.drum_stems import drum_reader
    from models.drums.oneshots import HarvestConfig, gather_oneshots
    from models.music.config import from_mapping

    chosen = {"onsets": {"threshold": threshold}, "dedupe": {"merge": merge}, "one_shots": one_shots}
    chosen |= {"skip_bad": skip_bad, "max_hits": max_hits}
    config = from_mapping(HarvestConfig, chosen, "preprocess")
    harvest = gather_oneshots(song.path, hits.path, read=drum_reader(separation, model), config=config)
    log_metrics({"one-shots": harvest.hits, "hits heard": harvest.heard, "files left out": len(harvest.skipped)})
    log_picture("onsets", harvest.picture)
    return harvest.hits
