"""What a note means where it stands: the chord over it, its degree in that chord, its step from the pitch before.

    beside = beside_words(words)           # [t, 2], two further words of TABLE beside each: all three embeddings are added
    expected = as_melody(logits, beside)   # [t, TABLE] to [t, SIZE]: a pitch is chosen as itself, as a degree and as a step

A chord told once at a bar line is soon far away from the notes that it should bend, so each note carries it, as Improv
RNN tells its chord at every step. Degrees and steps are what a tune keeps in every key: a network that has them needs not
learn each of twelve keys and eight chords anew. They cost no word, and any decoder can find them again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.jam.grid import VELOCITIES
from models.jam.vocabulary import (
    BAR,
    BEAT,
    CHORD,
    DEGREE,
    FARTHEST_STEP,
    LENGTH,
    NEXT,
    PAD,
    PITCH,
    PLACE,
    PLACES_PER_EIGHTH,
    SIZE,
    STEP,
    TABLE,
)
from models.music.chords import KINDS, NUMBERS

UNKNOWN = CHORD()


def _degrees() -> NDArray[np.int64]:
    """[TABLE, pitches], the degree of each pitch by the word of a chord; without a chord its pitch class."""
    table = np.full((TABLE, PITCH.size), PAD())
    kinds, roots = np.zeros((2, NUMBERS), np.int64)
    roots[1:], kinds[1:] = np.divmod(np.arange(NUMBERS - 1), len(KINDS))
    kinds[1:] += 1
    table[CHORD.words] = DEGREE.first + 12 * kinds[:, None] + (np.arange(PITCH.size) - roots[:, None]) % 12
    return table


def _steps() -> NDArray[np.int64]:
    """[TABLE, pitches], the step to each pitch by the word of the one before."""
    table = np.full((TABLE, PITCH.size), PAD())
    steps = np.arange(PITCH.size) - np.arange(PITCH.size)[:, None]
    table[PITCH.words] = STEP.first + FARTHEST_STEP + steps.clip(-FARTHEST_STEP, FARTHEST_STEP)
    return table


DEGREES, STEPS = _degrees(), _steps()


def beside_words(words: Sequence[int] | NDArray[np.int64], begin: int = 0) -> NDArray[np.int64]:
    """Return two words beside each word from `begin` on; those before it are there to be looked back at.

    Beside a place or a length stand the chord over it and the last pitch, beside a pitch its degree and its step.
    """
    words = np.asarray(words, np.int64)
    lines = np.flatnonzero((words[: begin + 1] >= BAR.first) & (words[: begin + 1] < BAR.first + BAR.size))
    first = int(lines[-1]) if len(lines) else 0
    pitches = np.flatnonzero((words[:first] >= PITCH.first) & (words[:first] < PITCH.first + PITCH.size))
    last = int(words[pitches[-1]]) if len(pitches) else PAD()
    beside, changes, at, here, following = [], [(0, UNKNOWN)], 0, UNKNOWN, False
    for word in words[first:].tolist():
        if word in PITCH:
            pitch = word - PITCH.first
            beside.append((DEGREES[here, pitch], STEPS[last, pitch]))
            last = word
            continue
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
        beside.append((here, last) if word in PLACE or word in LENGTH else (UNKNOWN, PAD()))
    return np.array(beside[begin - first :], np.int64).reshape(-1, 2)


def as_melody(logits: NDArray[np.float32], beside: NDArray[np.int64]) -> NDArray[np.float32]:
    """Add to each pitch's logit those of its degree and of its step, and leave out the words that nobody says."""
    expected = logits[:, :SIZE].copy()
    for table, words in zip((DEGREES, STEPS), beside.T, strict=True):
        expected[:, PITCH.words] += np.take_along_axis(logits, table[words], -1)
    return expected
