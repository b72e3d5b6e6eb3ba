"""Stages that make MIDI audible."""

from __future__ import annotations

from kfp.dsl import Dataset, Input, Output

from backstage.stage import stage


@stage(image="python-audio")
def render_midi(
    midi: Input[Dataset], sound: Output[Dataset], pools_json: str = "", sample_root: str = "", seed: int = 7
) -> int:
    """Play drum MIDI on a kit, file by file; count the hits.

    Args:
        midi: A MIDI file of drums, or a folder of them.
        pools_json: The kit's pools file; empty plays the practice room's kit.
        sample_root: Folder of the samples, when they do not lie beside the pools file.
        seed: Which practice kit.

    Returns:
        hits
    """
    from backstage.tracking import log_audio, log_picture
    from components.practice_kit import render_files

    hits = 0
    for played in render_files(midi.path, sound.path, pools_json, sample_root, seed):
        log_audio(played.name, played.sound)
        log_picture(played.name, played.picture)
        hits += played.hits
    return hits
