"""Who plays beside a model, so that its figures mean something: people, the grid, random chord tones, a Markov chain.

    players = {"Markov": markov_player(markov), "random chord tones": chord_tones_in(roles["train"])}
    line = players["Markov"](sample, np.random.default_rng(0))       # a Take over the sample's bars

A player is told a sample and a die; only the first two here look at what was really played.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from models.jam.grid import BAR, PLACE, TONE, from_grid, to_grid
from models.jam.markov import Markov
from models.jam.parts import between
from models.jam.roles import RoleSample
from models.music.errors import BadInput
from models.music.midi import read_midi
from models.music.notes import ONSET, PITCH, Take

Player = Callable[[RoleSample, np.random.Generator], Take]


def people(sample: RoleSample, dice: np.random.Generator) -> Take:
    """What was played."""
    return sample.lead


def people_on_the_grid(sample: RoleSample, dice: np.random.Generator) -> Take:
    """What was played, as well as the jam's grid can say it: no model of it can come closer."""
    ticks_per_bar = sample.lead.ticks_per_bar
    return sample.lead.with_notes(from_grid(to_grid(sample.lead.notes, ticks_per_bar), ticks_per_bar))


def markov_player(markov: Markov) -> Player:
    """Have a Markov chain play."""

    def play(sample: RoleSample, dice: np.random.Generator) -> Take:
        ticks_per_bar = sample.lead.ticks_per_bar
        return sample.lead.with_notes(from_grid(markov.play(sample.bars, ticks_per_bar, dice), ticks_per_bar))

    return play


def chord_tones_in(train: Sequence[RoleSample]) -> Player:
    """Have random tones of the chords played, in the rhythm of bars that people played over other pieces."""
    rhythms, low, high = defaultdict(list), 127, 0
    for sample in train:
        cells = to_grid(sample.lead.notes, sample.lead.ticks_per_bar)
        bounds = np.searchsorted(cells[:, BAR], np.arange(sample.bars + 1))
        rhythms[sample.lead.ticks_per_bar] += [cells[a:b, PLACE:] for a, b in itertools.pairwise(bounds)]
        low, high = min(low, *np.quantile(cells[:, TONE], [0.1])), max(high, *np.quantile(cells[:, TONE], [0.9]))

    def play(sample: RoleSample, dice: np.random.Generator) -> Take:
        ticks_per_bar, rows = sample.lead.ticks_per_bar, []
        known = rhythms.get(ticks_per_bar) or [np.zeros((0, 4), np.int32)]
        for bar in range(sample.bars):
            rows += [(bar, *cell) for cell in known[dice.integers(len(known))].tolist()]
        line = from_grid(np.array(rows, np.int32), ticks_per_bar)
        pitches = np.arange(int(low), int(high) + 1)
        for note, chord in zip(line, sample.chords_at(line[:, ONSET]), strict=True):
            fits = pitches if chord is None else pitches[np.isin(pitches % 12, chord.pitch_classes)]
            note[PITCH] = dice.choice(fits)
        return sample.lead.with_notes(line)

    return play


def players_in(folder: str) -> dict[str, Player]:
    """Have what lies in a folder played, <sample_id>.mid for each sample; no folder, no player."""
    if not folder:
        return {}
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise BadInput(f"{folder}: no such folder. Give one with a <sample_id>.mid for each sample.")

    def play(sample: RoleSample, dice: np.random.Generator) -> Take:
        file = place / f"{sample.sample_id}.mid"
        if not file.is_file():
            raise BadInput(f"{folder}: no {file.name} for {sample.source}. Generate over each sample of the split.")
        notes = between(read_midi(file).notes, 0, sample.bars * sample.lead.ticks_per_bar)
        return sample.lead.with_notes(notes)

    return {place.name: play}
