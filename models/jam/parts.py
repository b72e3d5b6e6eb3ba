"""A piece's notes parted into who plays what.

above = notes[:, PITCH] >= split_pitch(notes)         # the pitch that parts a piece's upper notes from its lower ones
line = top_voice(notes[above])                        # which of them the ear follows
notes = apart(notes)                                  # no pitch struck while it sounds, as MIDI can say it
notes = between(notes, 3840, 7680)                    # what sounds in a bar, from its beginning on
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.music.notes import DURATION, ONSET, PITCH, TICKS_PER_QUARTER, VELOCITY, as_notes

LOWEST_SPLIT, HIGHEST_SPLIT = 48, 72
TOGETHER_TICKS = TICKS_PER_QUARTER // 16
"""Notes closer than this are struck as one."""
EARLY_TICKS = TICKS_PER_QUARTER // 16
"""A note that is no longer before a bar line belongs to the bar it leads into."""


def split_pitch(notes: NDArray[np.int32]) -> int:
    """Find the lowest pitch of the upper group when notes are parted so that each group is most alike (Otsu 1979)."""
    counts = np.bincount(notes[:, PITCH], minlength=128).astype(np.float64)
    below, pitches = counts.cumsum(), np.arange(128)
    sums = (counts * pitches).cumsum()
    above = below[-1] - below
    apart_by = np.square(sums / np.maximum(below, 1) - (sums[-1] - sums) / np.maximum(above, 1))
    between = below * above * apart_by  # of the groups up to each pitch and beyond it
    candidates = slice(LOWEST_SPLIT - 1, HIGHEST_SPLIT)
    best = between[candidates]
    ties = np.flatnonzero(best >= best.max() * (1 - 1e-12))  # an empty gap scores alike throughout: cut in its middle
    return LOWEST_SPLIT + int(ties[len(ties) // 2])


def top_voice(notes: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Tell which notes make the highest line: of those struck together the top one, and none under a higher one held.

    A note is under another that began before it and sounds on for at least half of it.
    """
    on_top = np.zeros(len(notes), bool)
    held_pitch, held_since, held_until = -1, -TICKS_PER_QUARTER, 0
    struck = np.lexsort((-notes[:, PITCH], notes[:, ONSET] // TOGETHER_TICKS))
    for index, (pitch, _, onset, duration) in zip(struck.tolist(), notes[struck].tolist(), strict=True):
        together = onset - held_since < TOGETHER_TICKS
        covered = 2 * (held_until - onset) >= duration
        if pitch < held_pitch and (together or covered):
            continue
        on_top[index] = True
        held_pitch, held_since, held_until = pitch, onset, onset + duration
    return on_top


def apart(notes: NDArray[np.int32]) -> NDArray[np.int32]:
    """End every note where the next of its pitch begins; of two struck at once the louder and longer stays."""
    order = np.lexsort((-notes[:, DURATION], -notes[:, VELOCITY], notes[:, ONSET], notes[:, PITCH]))
    notes = notes[order]
    same = notes[1:, PITCH] == notes[:-1, PITCH]
    first = np.ones(len(notes), bool)
    first[1:] = ~(same & (notes[1:, ONSET] == notes[:-1, ONSET]))
    notes = notes[first]
    gap = np.diff(notes[:, ONSET], append=np.iinfo(np.int32).max)
    gap[:-1][notes[1:, PITCH] != notes[:-1, PITCH]] = np.iinfo(np.int32).max
    return as_notes(np.column_stack([notes[:, :DURATION], np.minimum(notes[:, DURATION], gap)]))


def between(notes: NDArray[np.int32], begin: int, end: int) -> NDArray[np.int32]:
    """What sounds between two ticks, from the first on; what began before it, or a little early, begins with it."""
    stops = notes[:, ONSET] + notes[:, DURATION]
    inside = (stops > begin + EARLY_TICKS) & (notes[:, ONSET] < end)
    cut, stops = notes[inside], np.minimum(stops[inside], end)
    cut[:, ONSET] = np.maximum(cut[:, ONSET] - begin, 0)
    cut[:, DURATION] = stops - begin - cut[:, ONSET]
    return apart(cut)
