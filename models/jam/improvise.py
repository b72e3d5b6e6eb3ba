"""A solo, note by note: words are read, chosen and read again until the time is up.

    cue = Cue(sheet, line=played_so_far, start=2 * 96, until=4 * 96, taste=Taste(), seed=7)
    for cell in improvise(reader, cue): ...           # (bar, place, loud, tone, length), as soon as it is chosen

What is read is the line's last bars, as many as fit: old bars leave several at a time, so that a reader seldom has to
begin anew; and when a solo has ended, the next bar's beginning is read at once. In the users' form (a band given) the band's bars are read first.
Whoever is told to stop stops after the word, or after the words that are read at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.jam import grid
from models.jam.decode import Reader
from models.jam.grid import LENGTHS, PLACES_PER_QUARTER
from models.jam.sampling import OCTAVE, Grammar, Mask, Taste, choose
from models.jam.tokens import Cells, Sheet, Words, spell
from models.jam.vocabulary import BAR, PITCH

Cell = tuple[int, int, int, int, int]
ROOM = 96
"""Words that must be free when a bar begins: thirty notes."""
HOP_BARS = 4
"""Old bars leave so many at a time."""
NO_CELLS = np.zeros((0, 5), np.int32)


@dataclass(frozen=True)
class Cue:
    """What is to be played, and after what. Places count from the piece's beginning, on the grid's 24 a quarter."""

    sheet: Sheet
    start: int
    until: int
    line: Cells = field(default_factory=lambda: NO_CELLS)
    """What the soloist has played before; what begins at `start` or later is left out."""
    band: Cells | None = None
    """What the band plays, in the users' form."""
    taste: Taste = field(default_factory=Taste)
    seed: int = 0
    most_words: int = 0
    """At most so many words of what was played before are read (the users' primer); 0 for all that fit."""


def never() -> bool:
    """Nobody stops it."""
    return False


def improvise(reader: Reader, cue: Cue, stopped: Callable[[], bool] = never) -> Iterator[Cell]:
    """Play from `start` to before `until`, or until it is stopped."""
    places, dice = cue.sheet.places, np.random.default_rng(cue.seed % 2**64)
    played = cue.line[:, grid.BAR] * places + cue.line[:, grid.PLACE] < cue.start
    line: list[Cell] = [tuple(row) for row in cue.line[played].tolist()]
    for bar in range(cue.start // places, -(-cue.until // places)):
        begin, end = max(0, cue.start - bar * places), min(places, cue.until - bar * places)
        tones = _tones(cue.sheet, bar) if cue.taste.chord_bias else None
        rested = bar - 1 - (line[-1][0] if line else cue.start // places - 1)
        grammar = Grammar(places, cue.taste, begin, end, tones, may_rest=rested < cue.taste.longest_rest_bars)
        for begun, place, _, tone, length in line[-ROOM:]:
            grammar.sound(tone, (begun - bar) * places + place + LENGTHS[length])
        words = reading(cue, line, bar, reader.context).tolist()
        while len(words) < reader.context:
            for _ in reader.portions(words):
                if stopped():
                    return
            word = choose(grammar.wished(reader.expected), grammar.allowed(), cue.taste, dice)
            if word in BAR:
                break
            words.append(word)
            if note := grammar.hear(word):
                line.append((bar, *note))
                yield line[-1]
    for _ in reader.portions(reading(cue, line, cue.until // places, reader.context)):  # while what was played sounds
        if stopped():
            return


def reading(cue: Cue, line: Sequence[Cell], bar: int, context: int) -> Words:
    """The words to be read in a bar: this one as far as it was played, and as many before it as fit."""
    cells = np.array(line[-context:], np.int32).reshape(-1, 5)
    most, hop = (min(context - ROOM, cue.most_words), 1) if cue.most_words else (context - ROOM, HOP_BARS)
    words = spell(cue.sheet, cells, bar + 1, cue.band, first=bar).window(0, 1)[:context]
    for first in range(bar // hop * hop, -1, -hop):
        text = spell(cue.sheet, cells, bar + 1, cue.band, first=first)
        longer = text.window(0, len(text.bars))
        if len(longer) > most:
            break
        words = longer
    return words


def _tones(sheet: Sheet, bar: int) -> Mask:
    """The chord's tones at every place of a bar, [places, 128]; all of them where no chord is known."""
    tones = np.ones((sheet.places, PITCH.size), bool)
    for place in range(sheet.places):
        if chord := sheet.chord_at(bar * sheet.quarters + place / PLACES_PER_QUARTER):
            tones[place] = np.isin(np.arange(PITCH.size) % OCTAVE, chord.pitch_classes)
    return tones
