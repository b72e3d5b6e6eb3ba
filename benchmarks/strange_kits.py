"""Kits that nobody has recorded, made of recorded ones: other drums in other places, tuned, worn and rattling.

    kit = strange_kit(kit_of(shared, "muldjord"), generator)        # near_real's perform() plays on it
    sound = strange_sound(generator)(shot.sound)

What a detector learns on a dozen makers' kits it must still know on any other: so half the voices are another voice's
sounds, every voice has a pitch and an equaliser of its own, and some ring on longer, flutter as they ring, or are struck
by several hands, each a little after the last. The hands and the flutter are one hit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import soxr
from numpy.typing import NDArray

from benchmarks.near_real import LEVEL_DB, ROUND_ROBIN, Kit
from benchmarks.wear import equalised
from models.music.audio import HOUSE_RATE_HZ

SWAPPED, LONGER, FLUTTERING, SEVERAL_HANDS = 0.5, 0.3, 0.35, 0.15
"""How many voices are so."""
LONGEST_DB, WANDER_S, HAND_S = 25.0, 0.15, 0.006
Sound = NDArray[np.float32]
Samples = NDArray[np.float64]
Change = Callable[[Samples], Samples]


def strange_kit(kit: Kit, generator: np.random.Generator) -> Kit:
    """Make another kit of a kit; all hits of a voice are changed alike."""
    strange: Kit = {}
    for voice in LEVEL_DB:
        swapped = generator.random() < SWAPPED
        shots = kit[str(generator.choice(list(kit))) if swapped else voice]
        first, change = int(generator.integers(len(shots))), strange_sound(generator)
        count = min(ROUND_ROBIN, len(shots))
        strange[voice] = [change(shots[(first + n) % len(shots)]) for n in range(count)]
    return strange


def strange_sound(generator: np.random.Generator) -> Callable[[Sound], Sound]:
    """Draw a way to change recordings of one hit."""
    speed, seed = 2 ** generator.uniform(-0.5, 0.5), int(generator.integers(1 << 30))
    changes: list[Change] = []
    if generator.random() < LONGER:
        changes.append(_longer(generator.uniform(5, 40)))
    if generator.random() < FLUTTERING:
        changes.append(_fluttering(generator.uniform(0.05, 0.5), generator.uniform(3, 20), seed))
    if generator.random() < SEVERAL_HANDS:
        changes.append(_several_hands(int(generator.integers(1, 4)), generator.uniform(0.006, 0.03), seed))

    def change(shot: Sound) -> Sound:
        sound = soxr.resample(shot, HOUSE_RATE_HZ * speed, HOUSE_RATE_HZ)
        sound = equalised(sound, np.random.default_rng(seed))
        for each in changes:
            sound = each(sound)
        return (sound / np.abs(sound).max()).astype(np.float32)

    return change


def _time_s(sound: Samples) -> Samples:
    return np.arange(len(sound)) / HOUSE_RATE_HZ


def _longer(rise_db_s: float) -> Change:
    """Let it fall more slowly, by so many decibels a second, and end without a click."""

    def change(sound: Samples) -> Samples:
        time_s = _time_s(sound)
        ending = np.minimum(1.0, (time_s[-1] - time_s) / 0.05)
        return sound * 10 ** (np.minimum(rise_db_s * time_s, LONGEST_DB) / 20) * ending

    return change


def _fluttering(depth: float, rate_hz: float, seed: int) -> Change:
    """Let it swell and fade as it rings, at a rate that wanders."""

    def change(sound: Samples) -> Samples:
        time_s, generator = _time_s(sound), np.random.default_rng(seed)
        steps_s = np.arange(0, time_s[-1] + 1, WANDER_S)
        phase = 2 * np.pi * rate_hz * time_s + np.interp(
            time_s, steps_s, generator.normal(0, 1.5, len(steps_s)).cumsum()
        )
        return sound * (1 + depth * np.sin(phase) * np.minimum(1.0, time_s / 0.03))

    return change


def _several_hands(before: int, gap_s: float, seed: int) -> Change:
    """Put so many short strokes before it, a gap between each and the next."""

    def change(sound: Samples) -> Samples:
        generator, gap = np.random.default_rng(seed), round(gap_s * HOUSE_RATE_HZ)
        stroke = sound * np.exp(-_time_s(sound) / HAND_S)
        together = np.pad(sound, (before * gap, 0))
        for hand in range(before):
            together[hand * gap :][: len(sound)] += stroke * 10 ** (-generator.uniform(0, 6) / 20)
        return together

    return change
