"""The chord over every word: read off the words before it, and added to each word before the network sees it.

    over = chords_over(words)             # the CHORD word over each of them; CHORD(0) before a bar's first place

A chord told once at a bar line is soon far away from the notes that it should bend. So each note's words carry the chord
over their place, as Improv RNN tells its chord at every step; it costs no word, and any decoder can find it again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.jam.grid import VELOCITIES
from models.jam.vocabulary import BAR, BEAT, CHORD, LENGTH, NEXT, PITCH, PLACE, PLACES_PER_EIGHTH

UNKNOWN = CHORD()


def chords_over(words: Sequence[int] | NDArray[np.int64], begin: int = 0) -> NDArray[np.int64]:
    """Return the chord over each word from `begin` on; the words before it are there to be looked back at."""
    words = np.asarray(words, np.int64)
    lines = np.flatnonzero((words[: begin + 1] >= BAR.first) & (words[: begin + 1] < BAR.first + BAR.size))
    first = int(lines[-1]) if len(lines) else 0
    over, changes, at, here, following = [], [(0, UNKNOWN)], 0, UNKNOWN, False
    for word in words[first:].tolist():
        if word in PLACE:
            place = (word - PLACE.first) // len(VELOCITIES)
            here = next(chord for start, chord in reversed(changes) if start <= place)
        elif word in BAR:
            changes, at, here, following = [(0, UNKNOWN)], 0, UNKNOWN, False
        elif word in BEAT:
            at = (word - BEAT.first) * PLACES_PER_EIGHTH
        elif word in NEXT:
            following = True
        elif word in CHORD and not following:
            changes.append((at, word))
        over.append(here if word in PLACE or word in PITCH or word in LENGTH else UNKNOWN)
    return np.array(over[begin - first :], np.int64)
