"""A player from the practice room: chords with human hands, as MIDI messages with their times, and what they were meant to be.

    played = performance(seed=7, seconds=60, tempo_bpm=140)
    for at_s, data in played.events: ...           # (0.012, (0x90, 57, 74))
    played.changes                                 # ((0.0, Chord.parse("Dm7")), (1.7, Chord.parse("G7")), …): the truth

The left hand has the root, the right one the rest, near where it was. Notes of a chord come some milliseconds apart, now and
then they are rolled; a finger slips onto the neighbouring key, a passing note is played on top, a bar is left out, and the
sustain pedal goes down after a chord and up with the next.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from models.music.chords import Chord
from realtime_client.midi_bytes import CONTROL_CHANGE, NOTE_OFF, NOTE_ON, PEDAL

FORMS = (
    "Dm7|G7|Cmaj7|Cmaj7",
    "Dm7 G7|Cmaj7 A7|Dm7 G7|Cmaj7",
    "C7|F7|C7|C7|F7|F7|C7|A7|Dm7|G7|C7 A7|Dm7 G7",
    "C|G|Am|F",
    "Am7|Am7|Bm7b5|E7|Am7|Dm7|Bm7b5 E7|Am7",
    "Dm7|Dm7|Dm7|Dm7|Ebm7|Ebm7|Dm7|Dm7",
)
BASS, RIGHT_HAND = (36, 48), (52, 68)
"""Lowest and highest key of each hand, the highest left out."""
Event = tuple[float, tuple[int, ...]]


class Habits(NamedTuple):
    """How human the hands are."""

    spread_s: float = 0.008
    """How far notes of a chord come apart (a standard deviation)."""
    rolled: float = 0.1
    """Share of chords that are rolled from below."""
    roll_s: float = 0.018
    """From note to note of a rolled chord."""
    slips: float = 0.04
    """Share of chords with a wrong key, let go at once."""
    passing: float = 0.1
    """Share of chords with a short note on top later on."""
    pauses: float = 0.04
    """Share of chords that are left out: what came before still holds."""
    pedal: float = 0.5
    """Share of performances with the sustain pedal."""


class Performance(NamedTuple):
    """What is played, and what it was meant to be."""

    events: tuple[Event, ...]
    """In order of time."""
    changes: tuple[tuple[float, Chord], ...]
    """When each chord was meant to begin; one that was left out is not there."""


def performance(
    seed: int, seconds: float, tempo_bpm: float = 120.0, beats_a_bar: int = 4, habits: Habits | None = None
) -> Performance:
    """Make one up; the same seed plays the same."""
    return _Hands(seed, 60 / tempo_bpm, beats_a_bar, habits or Habits()).play(seconds)


class _Hands:
    def __init__(self, seed: int, beat_s: float, beats_a_bar: int, habits: Habits) -> None:
        self.dice, self.beat_s, self.beats, self.habits = random.Random(seed), beat_s, beats_a_bar, habits
        self.events: list[Event] = []
        self.has_pedal = self.dice.random() < habits.pedal
        self.near = 60.0

    def play(self, seconds: float) -> Performance:
        changes, at_s, before = [], 0.0, None
        while True:
            shift = self.dice.randrange(12)
            for bar in self.dice.choice(FORMS).split("|"):
                symbols = bar.split()
                length_s = self.beats * self.beat_s / len(symbols)
                for symbol in symbols:
                    if at_s + length_s > seconds:
                        return Performance(tuple(sorted(self.events)), tuple(changes))
                    written = Chord.parse(symbol)
                    chord = Chord((written.root + shift) % 12, written.kind)
                    if before is None or self.dice.random() >= self.habits.pauses:
                        self.strike(chord, at_s, length_s)
                        if chord != before:
                            changes.append((at_s, chord))
                        before = chord
                    at_s += length_s

    def strike(self, chord: Chord, at_s: float, length_s: float) -> None:
        """Play a chord."""
        habits, dice = self.habits, self.dice
        pitches = self.voiced(chord)
        is_rolled = dice.random() < habits.rolled
        release_s = at_s + length_s * dice.uniform(0.8, 0.96)
        for number, pitch in enumerate(pitches):
            late_s = number * habits.roll_s if is_rolled else abs(dice.gauss(0, habits.spread_s))
            self.note(pitch, at_s + late_s, release_s + dice.uniform(-0.02, 0.02), dice.randint(55, 95))
        if dice.random() < habits.slips:
            wrong = pitches[-1] + dice.choice((-1, 1))
            begin_s = at_s + dice.uniform(0, 0.01)
            self.note(wrong, begin_s, begin_s + dice.uniform(0.06, 0.12), dice.randint(30, 50))
        if dice.random() < habits.passing:
            begin_s = at_s + length_s * dice.uniform(0.4, 0.6)
            self.note(pitches[-1] + dice.randint(2, 7), begin_s, begin_s + 0.15, dice.randint(60, 90))
        if self.has_pedal:
            self.events.append((at_s + 0.08, (CONTROL_CHANGE, PEDAL, 127)))
            self.events.append((at_s + length_s - 0.01, (CONTROL_CHANGE, PEDAL, 0)))

    def voiced(self, chord: Chord) -> list[int]:
        """The root below, all tones above, in the inversion nearest to the chord before."""
        low, high = BASS
        root = next(pitch for pitch in range(low, high) if pitch % 12 == chord.root)
        tones = [pitch for pitch in range(*RIGHT_HAND) if pitch % 12 in chord.pitch_classes]
        count = min(4, len(chord.pitch_classes))
        hands = [tones[first : first + count] for first in range(len(tones) - count + 1)]
        chosen = min(hands, key=lambda hand: abs(sum(hand) / count - self.near))
        self.near = sum(chosen) / count
        return [root, *chosen]

    def note(self, pitch: int, begin_s: float, end_s: float, velocity: int) -> None:
        self.events.append((begin_s, (NOTE_ON, pitch, velocity)))
        self.events.append((max(end_s, begin_s + 0.03), (NOTE_OFF, pitch, 0)))
