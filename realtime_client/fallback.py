"""What is played when no model answers: a phrase over a chord, made in no time, the same for the same seed.

    phrase = fallback_phrase(Chord.parse("Am7"), beats_a_bar=4, tempo_bpm=120, seed=7)       # two bars, to go round and round
    pitch = pickup_pitch(Chord.parse("Am7"), near=72)

Chord tones fall on the beats, a scale's tone or a semitone leads into the next of them, off-beats swing the more the slower
the tune, and the second bar breathes.
"""

from __future__ import annotations

import random

from models.music.chords import Chord
from models.music.notes import TICKS_PER_QUARTER
from realtime_client.messages import Phrase

BARS = 2
LOWEST, HIGHEST, MIDDLE = 60, 84, 72
SCALES = {
    "major": (0, 2, 4, 7, 9),
    "minor": (0, 2, 3, 5, 7, 10),
    "dominant": (0, 2, 4, 7, 9, 10),
    "major-seventh": (0, 2, 4, 7, 9, 11),
    "minor-seventh": (0, 2, 3, 5, 7, 9, 10),
    "half-diminished": (0, 3, 5, 6, 8, 10),
    "diminished": (0, 2, 3, 5, 6, 8, 9, 11),
    "suspended": (0, 2, 5, 7, 9, 10),
}
SWUNG, STRAIGHT_FROM_BPM, SWINGS_TO_BPM = 2 / 3, 220.0, 120.0
ON_BEAT, OFF_BEAT = 92, 76
ROOM = 30
"""Ticks between one note and the next."""


def fallback_phrase(chord: Chord, beats_a_bar: int, tempo_bpm: float, seed: int) -> Phrase:
    """Make up two bars."""
    dice = random.Random(f"{seed} {chord} {beats_a_bar}")
    beats = BARS * beats_a_bar
    offbeat = round(TICKS_PER_QUARTER * _lean(tempo_bpm))
    played = [beat for beat in range(beats - 1) if beat % beats_a_bar == 0 or dice.random() < 0.8]
    targets = _line(chord, len(played), dice)
    notes: list[tuple[int, int, int, int]] = []
    for number, (beat, pitch) in enumerate(zip(played, targets, strict=True)):
        onset, leads = beat * TICKS_PER_QUARTER, played[number + 1 : number + 2] == [beat + 1] and dice.random() < 0.75
        length = offbeat if leads else round(TICKS_PER_QUARTER * dice.choice((0.6, 1.0)))
        notes.append((pitch, ON_BEAT + dice.randint(-8, 8), onset, length - ROOM))
        if leads:
            approach = _approach(chord, pitch, targets[number + 1], dice)
            notes.append(
                (approach, OFF_BEAT + dice.randint(-8, 8), onset + offbeat, TICKS_PER_QUARTER - offbeat - ROOM)
            )
    return Phrase(beats * TICKS_PER_QUARTER, tuple(notes))


def pickup_pitch(chord: Chord, near: int = MIDDLE) -> int:
    """The third or root of a chord that lies nearest."""
    classes = (chord.pitch_classes[0], chord.pitch_classes[1])
    return min((pitch for pitch in range(LOWEST, HIGHEST) if pitch % 12 in classes), key=lambda each: abs(each - near))


def _lean(tempo_bpm: float) -> float:
    """Where in a beat its second half begins: two thirds when slow, the middle when fast."""
    fast = (tempo_bpm - SWINGS_TO_BPM) / (STRAIGHT_FROM_BPM - SWINGS_TO_BPM)
    return SWUNG + (0.5 - SWUNG) * min(1.0, max(0.0, fast))


def _line(chord: Chord, length: int, dice: random.Random) -> list[int]:
    """Chord tones, up and down by small steps."""
    tones = [pitch for pitch in range(LOWEST, HIGHEST) if pitch % 12 in chord.pitch_classes]
    place = min(range(len(tones)), key=lambda each: abs(tones[each] - MIDDLE)) + dice.randint(-1, 1)
    way, line = dice.choice((-1, 1)), []
    for _ in range(length):
        line.append(tones[place])
        if dice.random() < 0.25 or not 0 <= place + way < len(tones):
            way = -way
        place = min(len(tones) - 1, max(0, place + way))
    return line


def _approach(chord: Chord, before: int, target: int, dice: random.Random) -> int:
    """A note that leads from one to the next: the scale's, or a semitone below."""
    scale = [pitch for pitch in range(LOWEST - 2, HIGHEST + 2) if (pitch - chord.root) % 12 in SCALES[chord.kind]]
    between = [pitch for pitch in scale if 0 < abs(pitch - target) <= 2 and pitch != before]
    return dice.choice([target - 1, *between, *between])
