"""How a lead line sits on its chords, repeats itself, breathes and swings: pure counting, no model.

    figures = measure(line, sample)                       # a Take played over a RoleSample's chords and bars
    dead_air([0.0, 0.1, 0.4])                             # 0.5: of two intervals one lasts 180 ms or more
    divergence(histogram, other)                          # Jensen-Shannon, in bits: 0 the same, 1 nothing in common

`dead_air` is the share of intervals between onsets of at least 180 ms; it follows the tempo and is no silence. `silence`
is the share of time in which nothing has sounded for 180 ms or more, from the first bar line to the last, and
`gaps_a_minute` counts such gaps. Whoever compares players compares them over the same pieces, thus at the same tempos.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.jam.grid import from_grid, to_grid
from models.jam.roles import RoleSample
from models.music.grid import TICKS_PER_STEP
from models.music.notes import DURATION, ONSET, PITCH, TICKS_PER_QUARTER, Take

DEAD_AIR_S = 0.180
GRAM = 4
"""Pitches in a row that count as said again."""
MAX_STEP = 12
"""Steps beyond an octave are counted with it."""
OFFBEAT = (0.42, 0.78)
"""Where in a quarter the second of two eighths is looked for: from early to swung hard."""


@dataclass(frozen=True)
class Measured:
    """What one line is, in numbers that add up over lines."""

    figures: dict[str, float]
    """Of figures.PLAYED; NaN where there is nothing to count."""
    degrees: NDArray[np.float64]
    """[12]: notes on each degree above the key's tonic."""
    steps: NDArray[np.float64]
    """[25]: steps of -12 to 12 semitones from note to note."""


def measure(line: Take, sample: RoleSample) -> Measured:
    """Measure a line over a sample's chords, from its first bar to its last."""
    notes = line.notes
    seconds = line.seconds(notes[:, [ONSET, DURATION]])
    length_s = float(line.seconds(sample.bars * line.ticks_per_bar))
    silent_s, gaps = silences(seconds[:, 0], seconds.sum(1), length_s)
    fits, strong = _on_chords(notes, sample)
    late_ms = lateness_ms(line)
    figures = {
        "chord_tones": _mean(fits),
        "chord_tones_strong": _mean(fits[strong & ~np.isnan(fits)]),
        "repetition": repetition(notes[:, PITCH]),
        "density": len(notes) / sample.bars,
        "dead_air": dead_air(seconds[:, 0]),
        "silence": silent_s / length_s,
        "gaps_a_minute": 60 * gaps / length_s,
        "swing": swing(notes[:, ONSET]),
        "late_ms": float(late_ms.mean()) if len(late_ms) else np.nan,
        "late_sd_ms": float(late_ms.std()) if len(late_ms) else np.nan,
    }
    degrees = np.bincount((notes[:, PITCH] - sample.key) % 12, minlength=12)
    steps = np.clip(np.diff(notes[:, PITCH]), -MAX_STEP, MAX_STEP) + MAX_STEP
    return Measured(figures, degrees.astype(float), np.bincount(steps, minlength=2 * MAX_STEP + 1).astype(float))


def dead_air(onsets_s: ArrayLike) -> float:
    """The share of intervals between onsets, in their order, of 180 ms or more; chords count as intervals of nothing."""
    between = np.diff(np.sort(np.asarray(onsets_s, float)))
    return float((between >= DEAD_AIR_S).mean()) if len(between) else np.nan


def silences(begins_s: NDArray, ends_s: NDArray, length_s: float) -> tuple[float, int]:
    """How long nothing sounds, counting only gaps of 180 ms and more, edges too; and how many such gaps there are."""
    order = np.argsort(begins_s, kind="stable")
    heard_until = np.maximum.accumulate(np.concatenate([[0.0], ends_s[order]]))
    gaps = np.minimum(np.concatenate([begins_s[order], [length_s]]), length_s) - heard_until
    long = gaps[gaps >= DEAD_AIR_S]
    return float(long.sum()), len(long)


def repetition(pitches: NDArray) -> float:
    """The share of four pitches in a row that came before in the line."""
    if len(pitches) < GRAM:
        return np.nan
    grams = np.lib.stride_tricks.sliding_window_view(pitches, GRAM)
    return 1 - len(np.unique(grams, axis=0)) / len(grams)


def swing(onsets: NDArray) -> float:
    """How much longer the first of two eighths is than the second: 1 is straight, 2 a triplet's."""
    within = onsets % TICKS_PER_QUARTER / TICKS_PER_QUARTER
    offbeats = within[(within >= OFFBEAT[0]) & (within <= OFFBEAT[1])]
    place = float(np.median(offbeats)) if len(offbeats) else np.nan
    return place / (1 - place)


def lateness_ms(line: Take) -> NDArray[np.float64]:
    """How far behind the beat each note is that belongs to one: within a sixteenth's half, earlier ones below 0."""
    half = TICKS_PER_STEP // 2
    off = (line.notes[:, ONSET] + half) % TICKS_PER_QUARTER - half
    return line.seconds(off[np.abs(off) <= half]) * 1000


def grid_error_ms(line: Take) -> NDArray[np.float64]:
    """By how much the grid moves each onset of a line."""
    cells = to_grid(line.notes, line.ticks_per_bar)
    placed = from_grid(cells, line.ticks_per_bar)[:, ONSET]
    near = np.abs(line.notes[:, ONSET][:, None] - placed[None, :]).min(1) if len(placed) else np.zeros(0)
    return line.seconds(near) * 1000


def divergence(a: NDArray, b: NDArray) -> float:
    """Jensen-Shannon divergence of two histograms in bits."""
    if not a.sum() or not b.sum():
        return np.nan
    p, q = a / a.sum(), b / b.sum()
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = [np.where(x > 0, x * np.log2(x / middle), 0.0).sum() for x in (p, q)]
    return float(sum(terms) / 2)


def _on_chords(notes: NDArray[np.int32], sample: RoleSample) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Whether each note is a tone of its chord (NaN where none sounds), and whether it is on a strong beat.

    A note belongs to the nearest sixteenth. Every other quarter is strong, of three only the first.
    """
    placed = (notes[:, ONSET] + TICKS_PER_STEP // 2) // TICKS_PER_STEP * TICKS_PER_STEP
    fits = np.array(
        [
            np.nan if chord is None else float(pitch % 12 in chord.pitch_classes)
            for pitch, chord in zip(notes[:, PITCH].tolist(), sample.chords_at(placed), strict=True)
        ]
    )
    ticks_per_bar = sample.lead.ticks_per_bar
    two = 2 * TICKS_PER_QUARTER
    return fits, placed % ticks_per_bar % (two if ticks_per_bar % two == 0 else ticks_per_bar) == 0


def _mean(values: NDArray[np.float64]) -> float:
    told = values[~np.isnan(values)]
    return float(told.mean()) if len(told) else np.nan
