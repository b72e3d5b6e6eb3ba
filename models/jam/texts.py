"""What a soloist learns from: role samples in words, and windows of them as batches.

texts = texts_of(roles["train"], config)                     # [Text]
lines = [window for text in texts for window in windows(text, 384)]
words, beside, answers = questions(lines)                      # what is read, and what should follow
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.jam.config import JamConfig
from models.jam.grid import to_grid
from models.jam.harmony import beside_words
from models.jam.roles import RoleSample
from models.jam.tokens import Sheet, Text, Words, said_of, spell
from models.jam.vocabulary import PAD

NOTHING = -100
"""An answer that is not asked for."""


def texts_of(samples: Iterable[RoleSample], config: JamConfig) -> list[Text]:
    """Say every sample in the form that a network is taught."""
    return [text_of(sample, config) for sample in samples]


def text_of(sample: RoleSample, config: JamConfig) -> Text:
    """Say one sample."""
    per_bar = sample.lead.ticks_per_bar
    sheet = Sheet(sample.tempo_bpm, per_bar, sample.chords, config.style_number(sample.style))
    band = to_grid(sample.conditioning.notes, per_bar) if config.form == "band" else None
    return spell(sheet, to_grid(sample.lead.notes, per_bar), sample.bars, band)


class Window(NamedTuple):
    """Bars in words."""

    words: Words
    heard: int
    """So many words at its beginning are there to be heard, and were asked for before."""


def windows(text: Text, most: int, overlap: float = 0.0) -> list[Window]:
    """Cut a text into windows of at most so many words, in which every bar is asked for once.

    Each begins with the last bars of the one before, as many as make this share of its words.
    """
    cut, first, fresh = [], 0, 0
    while fresh < len(text.bars):
        last = text.fitting(first, most)
        if last <= fresh:
            first, last = fresh, text.fitting(fresh, most)
        words = text.window(first, last)
        cut.append(Window(words[:most], len(words) - sum(map(len, text.bars[fresh:last]))))
        fresh = first = last
        while first > 0 and len(text.window(first - 1, fresh)) <= most * overlap:
            first -= 1
    return cut


def padded(lines: Sequence[Words]) -> NDArray[np.int64]:
    """Make lines equally long: [b, t]."""
    table = np.full((len(lines), max(map(len, lines))), PAD(), np.int64)
    for row, line in zip(table, lines, strict=True):
        row[: len(line)] = line
    return table


class Questions(NamedTuple):
    """A batch, [b, t] each."""

    words: Tensor
    beside: Tensor
    """[b, t, 2], the words beside each word, see harmony.py."""
    answers: Tensor
    """What should be said next; NOTHING where nothing is asked."""


def questions(lines: Sequence[Window]) -> Questions:
    """Ask for the word after each word; what is only told or heard is not asked for."""
    words = padded([line.words for line in lines])
    asked = said_of(words) & (np.arange(words.shape[1]) >= np.array([[line.heard] for line in lines]))
    answers = np.where(asked, words, NOTHING)[:, 1:]
    beside = np.stack([beside_words(line) for line in words])[:, :-1]
    return Questions(*(torch.from_numpy(part.copy()) for part in (words[:, :-1], beside, answers)))
