"""The chords of a piece: as somebody wrote them down, or heard in what the band plays; and its key.

    hear_chords(take.notes, take.ticks_per_bar)       # ((0.0, Chord.parse("Am7")), (4.0, Chord.parse("D7")), …)
    written_chord("A:min7/b3"), written_chord("NC")   # Chord.parse("Am7"), None
    key_of(take.notes)                                # 0 C major … 11 B major, 12 C minor … 23 B minor

What sounds in each quarter is compared with twelve roots of eight kinds; the path of chords that fits best all along is
taken, where a change costs less at a bar line than within a bar. A quarter of silence keeps the chord before it.
"""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from models.music.chords import INTERVALS, Chord
from models.music.errors import BadInput
from models.music.notes import DURATION, ONSET, PITCH, TICKS_PER_QUARTER

Chords = tuple[tuple[float, Chord | None], ...]
"""Each with the quarter from the beginning at which it starts, in order; None where no chord sounds."""
EVERY = tuple(Chord(root, kind) for kind in INTERVALS for root in range(12))
NO_CHORD = frozenset({"", "N", "NC", "N.C.", "X"})
# How much the root, third, fifth and seventh of a chord say, and the root in the bass; how much a change costs.
TONES, BASS = (1.0, 1.1, 0.7, 1.0), 0.15
CHANGE_AT_BAR, CHANGE_WITHIN = 0.10, 0.15
# How much each degree is heard in major and in minor: Krumhansl, Cognitive Foundations of Musical Pitch (1990).
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)

# q quarters, p pitch classes, k chords (EVERY)


def _templates() -> NDArray[np.float64]:
    """[p, k], each chord's tones of length 1"""
    table = np.zeros((12, len(EVERY)))
    for k, chord in enumerate(EVERY):
        table[list(chord.pitch_classes), k] = TONES[: len(chord.pitch_classes)]
    return table / np.linalg.norm(table, axis=0)


_TEMPLATES = _templates()
_ROOTS = np.array([chord.root for chord in EVERY])


def hear_chords(notes: NDArray[np.int32], ticks_per_bar: int) -> Chords:
    """Name the chord of every stretch of quarters."""
    if not len(notes):
        return ()
    heard, bass = heard_in_quarters(notes)
    loud = np.linalg.norm(heard, axis=1)
    fits = heard / np.maximum(loud, 1e-9)[:, None] @ _TEMPLATES + BASS * bass[:, _ROOTS]
    path = _best_path(fits, _costs(len(fits), ticks_per_bar))
    first = int(np.argmax(loud > 0))
    named: list[Chord | None] = [None] * first + [EVERY[k] for k in path[first:]]
    return _runs(named)


def heard_in_quarters(notes: NDArray[np.int32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How long each pitch class sounds in each quarter [q, p], and whether it is the lowest that begins or sounds [q, p]."""
    onset, end = notes[:, ONSET].astype(np.int64), notes[:, ONSET].astype(np.int64) + notes[:, DURATION]
    first, last = onset // TICKS_PER_QUARTER, (end - 1) // TICKS_PER_QUARTER
    spans = last - first + 1
    note = np.repeat(np.arange(len(notes)), spans)
    quarter = np.arange(spans.sum()) - np.repeat(spans.cumsum() - spans, spans) + first[note]
    sounding = np.minimum(end[note], (quarter + 1) * TICKS_PER_QUARTER) - np.maximum(
        onset[note], quarter * TICKS_PER_QUARTER
    )
    pitch, quarters = notes[note, PITCH], int(last.max()) + 1
    heard, lowest = np.zeros((quarters, 12)), np.full(quarters, 128)
    np.add.at(heard, (quarter, pitch % 12), sounding / TICKS_PER_QUARTER)
    np.minimum.at(lowest, quarter, pitch)
    bass = np.zeros((quarters, 12))
    there = np.flatnonzero(lowest < 128)
    bass[there, lowest[there] % 12] = 1.0
    return heard, bass


def _costs(quarters: int, ticks_per_bar: int) -> NDArray[np.float64]:
    """What a change at the beginning of each quarter costs [q]."""
    within = np.arange(quarters) * TICKS_PER_QUARTER % ticks_per_bar
    return np.where(within < TICKS_PER_QUARTER, CHANGE_AT_BAR, CHANGE_WITHIN)


def _best_path(fits: NDArray[np.float64], costs: NDArray[np.float64]) -> list[int]:
    """The chords [q] whose fits less their changes' costs are most (Viterbi; every change costs alike)."""
    best, came = fits[0].copy(), np.zeros(fits.shape, np.int64)
    here = np.arange(fits.shape[1])
    for q in range(1, len(fits)):
        leader = int(best.argmax())
        changes = best[leader] - costs[q] > best
        came[q] = np.where(changes, leader, here)
        best = np.where(changes, best[leader] - costs[q], best) + fits[q]
    path = [int(best.argmax())]
    for q in range(len(fits) - 1, 0, -1):
        path.append(int(came[q, path[-1]]))
    return path[::-1]


def _runs(named: list[Chord | None]) -> Chords:
    runs = groupby(enumerate(named), key=lambda each: each[1])
    return tuple((float(next(members)[0]), chord) for chord, members in runs)


def written_chord(symbol: str) -> Chord | None:
    """Read a chord symbol of a lead sheet, or one such as A:min7/b3; None for no chord."""
    plain = symbol.strip().replace(":", "").split("/")[0]
    return None if plain.upper() in NO_CHORD else Chord.parse(plain)


def is_chord(symbol: str) -> bool:
    """Whether a marker says a chord, or that there is none."""
    try:
        written_chord(symbol)
    except BadInput:
        return False
    return bool(symbol.strip())


def key_of(notes: NDArray[np.int32]) -> int:
    """The key whose degrees are heard most alike: the tonic, plus 12 in minor."""
    heard = np.bincount(notes[:, PITCH] % 12, notes[:, DURATION], 12)
    profiles = np.array([np.roll(mode, tonic) for mode in (MAJOR, MINOR) for tonic in range(12)])
    profiles = profiles - profiles.mean(1, keepdims=True)
    likeness = profiles @ (heard - heard.mean()) / np.linalg.norm(profiles, axis=1)
    return int(likeness.argmax())
