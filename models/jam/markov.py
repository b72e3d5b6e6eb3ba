"""The order-3 Markov chain that a network must beat: it hears no chords, and knows the last three of everything else.

    markov = taught(roles["train"], roles["valid"])       # smoothing and the mixture are chosen on valid
    markov.nats(sample)                                   # {"place": 512.0, "pitch": …}: all symbols of its lead
    cells = markov.play(bars, ticks_per_bar, dice)        # int32[n, 5], see grid.py

A lead is the symbols that grid.py says. Each is told by the last three of its own kind: a place (or a bar line), a
velocity, a pitch (as a pitch and as a step from the last one, mixed), a length. Each order trusts its counts the less
the more kinds of symbols it saw, and leaves the rest to the shorter one (Witten & Bell 1991, with a weight that is
chosen). What the grammar forbids, a place that goes back or that the bar has not, a pitch beyond 0 to 127, gets no
chance, and the rest share it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.jam.grid import BAR_LINE, LENGTHS, MAX_PLACES, VELOCITIES, places_in_bar, symbols_of, to_grid
from models.jam.roles import RoleSample

ORDER = 3
PARTS: tuple[str, ...] = ("place", "loud", "pitch", "length")
LINE = MAX_PLACES
"""A bar line, among places."""
STEP_0, FIRST_PITCH = 128, 67
"""The symbol of a step by nothing, and the pitch from which the first step is taken."""
DOUBTS, MIXTURES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0), (0.25, 0.5, 0.75)
JUDGES = 20
"""Leads of the validation split that choose, about."""
Chances = NDArray[np.float64]
Past = tuple[int, ...]


Followers = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Symbols, and how often each came."""


@dataclass(frozen=True)
class Counts:
    """How often each symbol followed each past, of every order, and how much they are doubted."""

    symbols: int
    seen: dict[Past, Followers]
    doubt: float = 1.0
    """Weight of the shorter past for each kind of follower: 1 is Witten and Bell's."""

    @classmethod
    def of(cls, symbols: int, told: Iterable[tuple[Past, int]]) -> Counts:
        """Count symbols after their pasts."""
        counted: defaultdict[Past, Counter[int]] = defaultdict(Counter)
        for past, symbol in told:
            for order in range(ORDER + 1):
                counted[past[:order]][symbol] += 1
        return cls(symbols, {past: _arrays(followers) for past, followers in counted.items()})

    def after(self, past: Past) -> Chances:
        """The chance of every symbol."""
        chance = np.full(self.symbols, 1 / self.symbols)
        for order in range(ORDER + 1):
            if (found := self.seen.get(past[:order])) is None:
                break
            symbols, counts = found
            left = self.doubt * len(symbols)
            chance *= left
            chance[symbols] += counts
            chance /= counts.sum() + left
        return chance


def _arrays(followers: Counter[int]) -> Followers:
    return np.array(list(followers)), np.array(list(followers.values()), np.float64)


class Moment:
    """Where a lead has come to: the last three of each kind, the latest first, and what may come next."""

    def __init__(self, ticks_per_bar: int) -> None:
        self.places, self.earliest, self.pitch = places_in_bar(ticks_per_bar), MAX_PLACES, FIRST_PITCH
        self.past: dict[str, Past] = dict.fromkeys((*PARTS, "step"), ())

    def take(self, part: str, symbol: int) -> None:
        if part == "place":
            self.earliest = 0 if symbol == LINE else symbol
        if part == "pitch":
            self._remember("step", STEP_0 + symbol - self.pitch)
            self.pitch = symbol
        self._remember(part, symbol)

    def _remember(self, part: str, symbol: int) -> None:
        self.past[part] = (symbol, *self.past[part][: ORDER - 1])


def spoken(sample: RoleSample) -> Iterator[tuple[str, int]]:
    """A lead as parts and their symbols."""
    for said in symbols_of(to_grid(sample.lead.notes, sample.lead.ticks_per_bar), sample.bars):
        if isinstance(said, int):
            yield "place", LINE if said == BAR_LINE else said
        else:
            place, loud = divmod(said[0], len(VELOCITIES))
            yield from zip(PARTS, (place, loud, *said[1:]), strict=True)


@dataclass(frozen=True)
class Markov:
    """Counts of each part of a note, and how much of a pitch is told by steps."""

    counts: dict[str, Counts]
    by_steps: float = 0.5

    def chances(self, part: str, moment: Moment) -> Chances:
        """The chance of every symbol of a part, none for what cannot be."""
        chance = self.counts[part].after(moment.past[part])
        if part == "place":
            chance[moment.places : LINE] = 0.0
            chance[: min(moment.earliest, LINE)] = 0.0
        if part == "pitch":
            steps = self.counts["step"].after(moment.past["step"])[STEP_0 - moment.pitch :][: len(chance)]
            chance = (1 - self.by_steps) * chance + self.by_steps * steps / steps.sum()
        return chance / chance.sum()

    def nats(self, sample: RoleSample, parts: Sequence[str] = PARTS) -> dict[str, float]:
        """How surprising each part of a lead is, all its symbols together."""
        surprise, moment = dict.fromkeys(parts, 0.0), Moment(sample.lead.ticks_per_bar)
        for part, symbol in spoken(sample):
            if part in surprise:
                surprise[part] -= math.log(self.chances(part, moment)[symbol])
            moment.take(part, symbol)
        return surprise

    def play(self, bars: int, ticks_per_bar: int, dice: np.random.Generator) -> NDArray[np.int32]:
        """Play so many bars."""
        moment, cells, bar = Moment(ticks_per_bar), [], -1

        def draw(part: str) -> int:
            chance = self.chances(part, moment)
            symbol = int(dice.choice(len(chance), p=chance))
            moment.take(part, symbol)
            return symbol

        while True:
            place = draw("place")
            bar += place == LINE
            if bar == bars:
                return np.array(cells, np.int32).reshape(-1, 5)
            if place != LINE:
                cells.append((bar, place, draw("loud"), draw("pitch"), draw("length")))


def taught(train: Sequence[RoleSample], valid: Sequence[RoleSample]) -> Markov:
    """Count what was played, and choose doubts and mixture by what is least surprised on valid."""
    sizes = {"place": LINE + 1, "loud": len(VELOCITIES), "pitch": 128, "step": 2 * STEP_0, "length": len(LENGTHS)}
    told: dict[str, list[tuple[Past, int]]] = {part: [] for part in sizes}
    for sample in train:
        moment = Moment(sample.lead.ticks_per_bar)
        for part, symbol in spoken(sample):
            told[part].append((moment.past[part], symbol))
            if part == "pitch":
                told["step"].append((moment.past["step"], STEP_0 + symbol - moment.pitch))
            moment.take(part, symbol)
    counts = {part: Counts.of(size, told[part]) for part, size in sizes.items()}
    judges = list(valid)[:: max(1, len(valid) // JUDGES)]
    for part in sizes:
        alone = Markov(counts, by_steps=float(part == "step"))
        judged = "pitch" if part == "step" else part
        counts = min(
            (counts | {part: replace(counts[part], doubt=doubt)} for doubt in DOUBTS),
            key=lambda tried: _surprise(replace(alone, counts=tried), judges, judged),
        )
    return min((Markov(counts, share) for share in MIXTURES), key=lambda markov: _surprise(markov, judges, "pitch"))


def _surprise(markov: Markov, judges: Sequence[RoleSample], part: str) -> float:
    return sum(markov.nats(sample, (part,))[part] for sample in judges)
