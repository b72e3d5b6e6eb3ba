"""Which word comes next: what the grammar allows, what the player wants, and a throw of the dice.

    grammar = Grammar(places=96, taste=Taste(temperature=0.9, chord_bias=0.5))
    word = choose(grammar.wished(logits), grammar.allowed(), taste, dice)
    grammar.hear(word)

No sequence of chosen words is ever invalid: a place, a pitch, a length, and so on to the bar line. Places never go back,
notes struck together go up, and no pitch is struck again while it sounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.jam.grid import LENGTHS, VELOCITIES
from models.jam.vocabulary import BAR, LENGTH, PITCH, PLACE, SIZE, bar_number
from models.music.errors import BadInput

Mask = NDArray[np.bool_]
OCTAVE = 12


@dataclass(frozen=True)
class Taste:
    """How a solo is to be played."""

    temperature: float = 1.0
    """0 takes the likeliest word each time, 1 as the model learnt it; more is wilder."""
    top_p: float = 0.8
    """Only the likeliest pitches that together have this probability are thrown for. Of places and lengths all are: a rest
    is one of many, each of them unlikely, and who leaves out the unlikely never breathes."""
    chord_bias: float = 0.0
    """0 leaves the choice of pitches alone, 1 plays chord tones only."""
    lowest: int = 36
    """Lowest MIDI pitch."""
    highest: int = 96
    """Highest MIDI pitch."""
    longest_rest_bars: int = 2
    """No more empty bars than so many follow one another."""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("temperature", self.temperature, 0.0, 4.0),
            ("top_p", self.top_p, 0.01, 1.0),
            ("chord_bias", self.chord_bias, 0.0, 1.0),
        ):
            if not low <= value <= high:  # NaN fails too
                raise BadInput(f"{name} is {value:g}; give {low:g} to {high:g}.")
        if self.longest_rest_bars < 0:
            raise BadInput(f"longest_rest_bars is {self.longest_rest_bars}; give 0 or more (try 2).")
        if not 0 <= self.lowest <= self.highest - OCTAVE <= 127 - OCTAVE:
            raise BadInput(f"lowest is {self.lowest}, highest {self.highest}; give an octave or more within 0 to 127.")


class Grammar:
    """What may be said next in a bar, from a place to before another."""

    def __init__(
        self,
        places: int,
        taste: Taste,
        earliest: int = 0,
        latest: int | None = None,
        tones: Mask | None = None,
        may_rest: bool = True,
    ) -> None:
        """tones [places, 128]: the chord's, wherever in the bar; a bar that may not rest has a note before its end."""
        self.place, self.expected = earliest, PLACE
        self._line, self._latest = BAR(bar_number(places)), places if latest is None else latest
        self._bias = taste.chord_bias if tones is not None else 0.0
        self._tones = np.ones((places, PITCH.size), bool) if tones is None else tones
        pitches = np.arange(PITCH.size)
        self._playable = (pitches >= taste.lowest) & (pitches <= taste.highest)
        self._playable = self._playable & (self._tones if self._bias == 1 else True) & np.ones((places, 1), bool)
        self._until = np.zeros(PITCH.size, np.int64)
        self._loud = self._pitch = 0
        self._may_end = may_rest

    def allowed(self) -> Mask:
        """Return which words may follow: bool[v]."""
        mask = np.zeros(SIZE, bool)
        if self.expected is PLACE:
            places = np.arange(self.place, self._latest)
            free = (self._playable[places] & (self._until <= places[:, None])).any(1)
            mask[PLACE(self.place * len(VELOCITIES)) : PLACE(self._latest * len(VELOCITIES))] = free.repeat(
                len(VELOCITIES)
            )
            mask[self._line] = self._may_end or not mask.any()
        elif self.expected is PITCH:
            mask[PITCH.words] = self._playable[self.place] & (self._until <= self.place)
        else:
            mask[LENGTH.words] = True
        return mask

    def wished(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Lower pitches outside the chord by the player's bias."""
        if self.expected is not PITCH or not 0 < self._bias < 1:
            return logits
        lowered = logits.copy()
        lowered[PITCH.words] += np.where(self._tones[self.place], 0, np.log1p(-self._bias))
        return lowered

    def hear(self, word: int) -> tuple[int, int, int, int] | None:
        """Go on after a word that is allowed; a whole note comes back as its place, velocity, pitch and length."""
        if word in PLACE:
            self.place, self._loud = divmod(word - PLACE.first, len(VELOCITIES))
            self.expected = PITCH
        elif word in PITCH:
            self._pitch, self.expected = word - PITCH.first, LENGTH
        else:
            length, self.expected, self._may_end = word - LENGTH.first, PLACE, True
            self._playable[self.place, : self._pitch + 1] = False  # struck together, they go up
            self.sound(self._pitch, self.place + LENGTHS[length])
            return self.place, self._loud, self._pitch, length
        return None

    def sound(self, pitch: int, until: int) -> None:
        """Know that a pitch sounds until a place of this bar."""
        self._until[pitch] = max(until, self._until[pitch])


def choose(logits: NDArray[np.float32], allowed: Mask, taste: Taste, dice: np.random.Generator) -> int:
    """Throw for one of the allowed words."""
    words = np.flatnonzero(allowed)
    heights = logits[words].astype(np.float64)
    if taste.temperature == 0 or len(words) == 1:
        return int(words[heights.argmax()])
    weights = np.exp((heights - heights.max()) / taste.temperature)
    order = np.argsort(-weights, kind="stable")
    heaped = weights[order].cumsum()
    share = taste.top_p if words[0] in PITCH else 1.0
    kept = int(np.searchsorted(heaped, share * heaped[-1])) + 1
    return int(words[order[np.searchsorted(heaped[:kept], dice.random() * heaped[kept - 1], side="right")]])
