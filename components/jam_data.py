"""Stages of the jam's data: bring MIDI together, and part it into soloists and bands."""

from __future__ import annotations

from kfp.dsl import Dataset, Input, Output

from backstage.stage import stage


@stage(image="python-audio")
def gather_midi(source: str, midi: Output[Dataset], seed: int = 0) -> str:
    """Bring MIDI together: given files, or the practice room's solos.

    Args:
        source: A folder, archive or snapshot of MIDI; "practice" synthesises 60 solos, "practice:200" so many.
        seed: Of the practice solos.

    Returns:
        data
    """
    from backstage.storage import bring
    from models.music.midi import find_midi
    from models.practice.solos import solos_asked_for, write_solos

    if pieces := solos_asked_for(source):
        write_solos(midi.path, pieces, seed)
        return f"practice {pieces} {seed}"
    return bring(source, midi.path, find_midi)[:12]


@stage(image="python-audio")
def part_roles(
    midi: Input[Dataset],
    roles: Output[Dataset],
    transpose: int = 0,
    split_pitch: int = 0,
    one_voice: bool = True,
    min_notes: int = 16,
    naming: str = "",
    style: str = "",
    processes: int = 0,
) -> int:
    """Part every piece into a lead and the band under it, with its chords; doubles out, each piece in one split.

    Args:
        midi: A folder of MIDI.
        transpose: Write what is learnt from up to so many semitones higher and lower as well; 6 gives all twelve keys.
        split_pitch: The lowest pitch of a soloist without a track of its own; 0 finds it piece by piece.
        one_voice: Let the soloist play a line; --no-one-voice gives it everything above the split.
        min_notes: Leave out what has a shorter lead.
        naming: A regular expression for a file's path without suffix, with groups piece and style; pieces of one name
            stay in one split. Nothing takes the name and the first folder.
        style: Call every piece's style so, whatever its path says.
        processes: So many side by side; 0 takes every core.

    Returns:
        samples
    """
    from components.roles_made import make_roles
    from models.jam.listening import Wishes
    from models.jam.prepare import NAMING, Preparing

    wishes = Wishes(split_pitch, one_voice, min_notes)
    return make_roles(midi.path, roles.path, Preparing(wishes, transpose, naming or NAMING, style, processes))
