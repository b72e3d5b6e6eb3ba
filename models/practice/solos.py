"""Solos over chord progressions from a seed: a stand-in for transcribed ones where there are none.

    piece = solo("swing", number=3)                          # piece.lead, piece.comping, piece.chords
    write_solos("practice/solos", pieces=60, seed=1)         # swing/0003_rhythm_Eb.mid …, chords as markers

Three styles that an ear tells apart: swing (eighths that lean the less the faster the tune, with approach notes), blues
(slow, triplets, blue notes, riffs that come again) and bossa (straight, early, by step). A soloist plays chord tones on
strong beats and scale between them, in phrases that breathe, a little behind the beat; the band comps below middle C
and now and then plays a chord early. Real solos are less tidy: use these for tests, not for claims.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.music.chords import NAMES, Chord
from models.music.config import nearest
from models.music.errors import BadConfig
from models.music.midi import write_parts
from models.music.notes import TICKS_PER_QUARTER, Take, as_notes, ticks_from_seconds

BEATS = 4
PIECES, MOST_PIECES = 60, 100_000
EIGHTHS, QUARTER, OFFBEAT, REST = (0.0, 0.5), (0.0,), (0.5,), ()
TRIPLET, SIXTEENTHS, ROLL = (0.0, 1 / 3, 2 / 3), (0.0, 0.25, 0.5, 0.75), (0.0, 0.25, 0.5)
Figure = tuple[float, ...]
"""Where notes begin within a beat."""
FORMS = {
    "rhythm": "C Am7|Dm7 G7|Em7 A7|Dm7 G7|Gm7 C7|F Fm|Em7 A7|Dm7 G7",
    "turnaround": "Cmaj7|A7|Dm7|G7|Em7 A7|Dm7 G7|Cmaj7 A7|Dm7 G7",
    "leaves": "Dm7|G7|Cmaj7|Fmaj7|Bm7b5|E7|Am7|Am7",
    "minor": "Am|Bm7b5 E7|Am|Am7|Dm7|Am|Bm7b5 E7|Am E7",
    "blues": "C7|F7|C7|C7|F7|F7|C7|A7|Dm7|G7|C7 A7|Dm7 G7",
    "plain blues": "C7|C7|C7|C7|F7|F7|C7|C7|G7|F7|C7|G7",
    "beach": "Cmaj7|Cmaj7|D7|D7|Dm7|G7|Cmaj7|G7sus4 G7",
    "corner": "Am7|Am7|Bm7b5|E7|Am7|Gm7 C7|Fmaj7|Bm7b5 E7",
}
SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "major-seventh": (0, 2, 4, 6, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 9, 10),
    "minor-seventh": (0, 2, 3, 5, 7, 9, 10),
    "dominant": (0, 2, 4, 5, 7, 9, 10),
    "suspended": (0, 2, 4, 5, 7, 9, 10),
    "half-diminished": (0, 1, 3, 5, 6, 8, 10),
    "diminished": (0, 2, 3, 5, 6, 8, 9, 11),
}
BLUES_SCALE = (0, 3, 5, 6, 7, 10)


@dataclass(frozen=True)
class Style:
    """How soloist and band play."""

    forms: tuple[str, ...]
    tempo_bpm: tuple[int, int]
    figures: dict[Figure, float]
    """How often each is played."""
    comping: tuple[tuple[float, ...], ...]
    """Where in a bar the band may strike."""
    swings: bool = True
    blue: float = 0.0
    """Share of notes between strong beats from the key's blues scale."""
    approach: float = 0.0
    """Chance that the note before a strong beat leads into it by a semitone."""
    riff: float = 0.15
    """Chance that a phrase takes up the one before it."""
    tidy: float = 0.93
    """Share of strong beats with a tone of the chord."""
    early: float = 0.0
    """Chance that a beat is played half a beat before it."""
    late_ms: float = 15.0
    phrase_beats: tuple[int, int] = (5, 14)
    rest_beats: tuple[int, int] = (1, 4)
    steps: tuple[int, ...] = field(default=(-2, -1, -1, -1, 1, 1, 1, 2))
    """Of the scale, from one note to the next."""


STYLES = {
    "swing": Style(
        ("rhythm", "turnaround", "leaves", "minor", "blues"), (110, 250),
        {EIGHTHS: 0.68, QUARTER: 0.1, OFFBEAT: 0.1, TRIPLET: 0.07, REST: 0.05},
        ((0.0, 1.5), (0.5, 2.5), (1.5,), (0.0, 2.5), (0.0,)), approach=0.45, late_ms=18,
    ),
    "blues": Style(
        ("blues", "plain blues"), (70, 120),
        {TRIPLET: 0.3, EIGHTHS: 0.3, QUARTER: 0.2, OFFBEAT: 0.12, REST: 0.08},
        ((0.0, 2.0), (0.0, 1.0, 2.0, 3.0), (1.0, 3.0)), blue=0.75, riff=0.5, late_ms=32,
        phrase_beats=(4, 8), rest_beats=(2, 5), steps=(-1, -1, -1, 0, 0, 1, 1, 2, -2),
    ),
    "bossa": Style(
        ("beach", "corner", "leaves", "turnaround"), (110, 160),
        {EIGHTHS: 0.34, QUARTER: 0.2, OFFBEAT: 0.22, SIXTEENTHS: 0.05, ROLL: 0.09, REST: 0.1},
        ((0.0, 1.5, 3.0), (0.0, 1.0, 2.5)), swings=False, early=0.35, late_ms=4,
        phrase_beats=(6, 12), steps=(-1, -1, -1, 1, 1, 1, -2, 2),
    ),
}  # fmt: skip
LOWEST, HIGHEST = 60, 86
PRACTISED = tuple(STYLES)


@dataclass(frozen=True)
class Solo:
    """A solo, its band and its chords."""

    lead: Take
    comping: Take
    chords: tuple[tuple[float, Chord], ...]
    """Each with the quarter at which it begins."""
    form: str
    key: int


class Sketch(NamedTuple):
    """A phrase before it has pitches: where notes begin, in beats from its own beginning, and by how many steps each moves."""

    beats: int
    onsets: tuple[float, ...]
    steps: tuple[int, ...]


def solo(style: str, number: int, seed: int = 0, choruses: int = 3) -> Solo:
    """Play one solo; the same style, number and seed, the same solo."""
    if style not in STYLES:
        raise BadConfig(f"style {style!r}: {nearest(style, STYLES)}.")
    way, dice = STYLES[style], np.random.default_rng((seed, list(STYLES).index(style), number))
    form, key = way.forms[dice.integers(len(way.forms))], int(dice.integers(12))
    tempo_bpm = float(dice.integers(way.tempo_bpm[0], way.tempo_bpm[1] + 1))
    chords = progression(form, key, choruses)
    beats = BEATS * choruses * len(FORMS[form].split("|"))
    comping = list(_comp(way, dice, chords, beats))
    lead = _line(way, dice, list(_onsets(way, dice, beats)), chords, key)
    late_ms = way.late_ms * dice.uniform(0.5, 1.5)
    return Solo(
        Take(_played(lead, way, dice, tempo_bpm, late_ms), tempo_bpm, label=f"{style} {number}"),
        Take(_played(comping, way, dice, tempo_bpm, 0.0), tempo_bpm, label=f"{style} {number}"),
        chords, form, key,
    )  # fmt: skip


def write_solos(
    folder: str | os.PathLike[str], pieces: int = PIECES, seed: int = 0, styles: Sequence[str] = PRACTISED
) -> Path:
    """Write so many solos, the styles in turn, each in a folder of its own."""
    folder = Path(folder)
    for number in range(pieces):
        style = styles[number % len(styles)]
        piece = solo(style, number, seed)
        name = f"{number:04d}_{piece.form.replace(' ', '-')}_{NAMES[piece.key].replace('#', 's')}.mid"
        marks = [(round(at * TICKS_PER_QUARTER), str(chord)) for at, chord in piece.chords]
        (folder / style).mkdir(parents=True, exist_ok=True)
        write_parts(folder / style / name, {"Lead": piece.lead, "Comping": piece.comping}, marks)
    return folder


def solos_asked_for(source: str) -> int:
    """How many solos "practice" or "practice:200" asks for; 0 where a source is something else."""
    word, colon, count = source.partition(":")
    if word != "practice":
        return 0
    if colon and not (count.isdigit() and 0 < int(count) <= MOST_PIECES):
        raise BadConfig(
            f"{source}: {count or 'nothing'} is no number of solos; write practice:1 to practice:{MOST_PIECES}."
        )
    return int(count) if colon else PIECES


def progression(form: str, key: int, choruses: int) -> tuple[tuple[float, Chord], ...]:
    """Spell a form in a key: each chord with the quarter at which it begins."""
    bars = FORMS[form].split("|") * choruses
    spelt = []
    for bar, symbols in enumerate(bars):
        names = symbols.split()
        for place, symbol in enumerate(names):
            chord = Chord.parse(symbol)
            spelt.append((float(BEATS * bar + place * BEATS // len(names)), Chord((chord.root + key) % 12, chord.kind)))
    return tuple(spelt)


def swing_ratio(tempo_bpm: float) -> float:
    """How much longer the first of two eighths is: about 2 in a ballad, nearly even when it is fast."""
    return float(np.interp(tempo_bpm, (70, 250), (2.05, 1.2)))


def _sketch(way: Style, dice: np.random.Generator) -> Sketch:
    beats = int(dice.integers(way.phrase_beats[0], way.phrase_beats[1] + 1))
    kinds, chances = list(way.figures), np.array(list(way.figures.values()))
    onsets: list[float] = []
    for beat in range(beats):
        figure = kinds[dice.choice(len(kinds), p=chances / chances.sum())]
        early = figure[:1] == (0.0,) and beat > 0 and dice.random() < way.early
        onsets += [beat - 0.5 if early and start == 0.0 else beat + start for start in figure]
    onsets = sorted(set(onsets)) or [0.0]
    return Sketch(beats, tuple(onsets), tuple(int(dice.choice(way.steps)) for _ in onsets))


def _onsets(way: Style, dice: np.random.Generator, beats: int) -> Iterator[tuple[float, float, int]]:
    """Phrase after phrase: (beat, length, steps) of every note."""
    now, sketch = int(dice.integers(0, 4)), _sketch(way, dice)
    while now < beats:
        if dice.random() >= way.riff:
            sketch = _sketch(way, dice)
        ends = [*sketch.onsets[1:], min(sketch.onsets[-1] + 1.5, sketch.beats + 0.5)]
        for onset, end, step in zip(sketch.onsets, ends, sketch.steps, strict=True):
            if now + onset < beats:
                yield now + onset, min(end - onset, 2.0) * dice.uniform(0.8, 0.98), step
        now += sketch.beats + int(dice.integers(way.rest_beats[0], way.rest_beats[1] + 1))


def _line(
    way: Style,
    dice: np.random.Generator,
    onsets: Sequence[tuple[float, float, int]],
    chords: Sequence[tuple[float, Chord]],
    key: int,
) -> list[tuple[int, int, float, float]]:
    """Find pitches: chord tones on strong beats, scale between, approaches into strong beats from a semitone away."""
    starts, pitch, notes = [at for at, _ in chords], int(dice.integers(66, 78)), []
    strong = [onset % 2 < 0.01 or (way.early > 0 and onset % 2 == 1.5) for onset, *_ in onsets]
    for (onset, length, step), firm in zip(onsets, strong, strict=True):
        chord = chords[max(0, int(np.searchsorted(starts, onset + (0.5 if firm else 0.01), side="right")) - 1)][1]
        tones = {(chord.root + degree) % 12 for degree in SCALES[chord.kind]}
        if firm and dice.random() < way.tidy:
            tones = set(chord.pitch_classes)
        elif dice.random() < way.blue:
            tones = {(key + degree) % 12 for degree in BLUES_SCALE}
        pool = [p for p in range(LOWEST, HIGHEST + 1) if p % 12 in tones]
        here = int(np.argmin(np.abs(np.array(pool) - pitch)))
        if pitch > HIGHEST - 5 or pitch < LOWEST + 5:
            step = abs(step) * (1 if pitch < LOWEST + 5 else -1)
        pitch = pool[int(np.clip(here + step, 0, len(pool) - 1))]
        accent = 8 if onset % 1 else 0
        notes.append((pitch, int(np.clip(dice.normal(84 + accent, 9), 30, 120)), onset, length))
    for index in range(len(notes) - 1):
        near = notes[index + 1][2] - notes[index][2] <= 0.51
        if strong[index + 1] and not strong[index] and near and dice.random() < way.approach:
            notes[index] = (notes[index + 1][0] + int(dice.choice((-1, 1))), *notes[index][1:])
    return notes


def _comp(
    way: Style, dice: np.random.Generator, chords: Sequence[tuple[float, Chord]], beats: int
) -> Iterator[tuple[int, int, float, float]]:
    """Root in the bass where a chord begins, third, fifth and seventh above it on the strokes of the bar, now and then early."""
    ends = [*(at for at, _ in chords[1:]), float(beats)]
    for (begin, chord), end in zip(chords, ends, strict=True):
        yield 36 + (chord.root - 36) % 12, int(dice.normal(72, 6)), begin, (end - begin) * 0.95
        strokes = way.comping[dice.integers(len(way.comping))]
        for stroke in sorted({begin} | {begin + stroke for stroke in strokes if begin + stroke < end}):
            early = stroke == begin and begin > 0 and dice.random() < 0.25
            at = stroke - 0.5 if early else stroke
            for tone in chord.pitch_classes[1:]:
                yield 48 + tone, int(dice.normal(62, 7)), at, min(end - at, dice.uniform(0.4, 1.6))


def _played(
    notes: Sequence[tuple[int, int, float, float]],
    way: Style,
    dice: np.random.Generator,
    tempo_bpm: float,
    late_ms: float,
) -> np.ndarray:
    """Swing, lean and waver: beats become ticks, and no pitch is struck while it sounds."""
    ratio = swing_ratio(tempo_bpm) if way.swings else 1.0
    rows, sounding = [], {}
    for pitch, velocity, beat, length in sorted(notes, key=lambda note: (note[2], note[0])):
        at = beat - 0.5 + ratio / (1 + ratio) if beat % 1 == 0.5 else beat
        drift = ticks_from_seconds(max(-0.03, dice.normal(late_ms, 6) / 1000), tempo_bpm)
        onset = max(0, round(at * TICKS_PER_QUARTER) + int(drift))
        if onset >= sounding.get(pitch, 0):
            duration = max(60, round(length * TICKS_PER_QUARTER))
            sounding[pitch] = onset + duration
            rows.append((pitch, int(np.clip(velocity, 1, 127)), onset, duration))
    return as_notes(rows)
