"""What a soloist is: its sizes, its form and the names of the styles it was taught. TINY is for tests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from models.jam.vocabulary import STYLE_WORDS
from models.music.errors import BadConfig

KIND = "jam"
ROTARY_BASE, NORM_EPSILON = 10_000.0, 1e-5
"""Of every size: how positions turn, and what is added below a norm's root."""
STYLE_NAME = re.compile(r"[\w -]{1,40}")


@dataclass(frozen=True)
class JamConfig:
    """A Llama decoder over the words of models/jam/vocabulary.py."""

    layers: int = 6
    """Blocks of attention and feed-forward."""
    width: int = 256
    """Numbers a word is made of."""
    heads: int = 4
    """Attention heads; each gets its share of the width."""
    hidden: int = 512
    """Width of the feed-forward part."""
    context: int = 384
    """The most words that are read at once."""
    dropout: float = 0.0
    """Of attention, while it learns."""
    form: Literal["chords", "band"] = "chords"
    """Whether the soloist is told chord symbols, bar by bar, or hears the band's notes first."""
    styles: tuple[str, ...] = ()
    """The styles it knows by name; each has a word."""

    def __post_init__(self) -> None:
        if min(self.layers, self.width, self.heads, self.hidden) < 1 or self.width % (16 * self.heads):
            raise BadConfig(
                f"layers {self.layers}, width {self.width}, heads {self.heads}, hidden {self.hidden}:"
                " every head needs a multiple of 16 numbers (try 6, 256, 4, 512)."
            )
        if not 64 <= self.context <= 4096:
            raise BadConfig(f"context is {self.context}; give 64 to 4096 (try 384).")
        if not 0 <= self.dropout < 1:
            raise BadConfig(f"dropout is {self.dropout:g}; give 0 to below 1 (try 0.1).")
        if len(self.styles) >= STYLE_WORDS or len(set(self.styles)) < len(self.styles):
            raise BadConfig(f"styles {', '.join(self.styles)}: at most {STYLE_WORDS - 1}, each once.")
        for style in self.styles:
            check_style(style)

    def style_number(self, name: str) -> int:
        """The number of a style's word; 0, none in particular, for one it was not taught."""
        return self.styles.index(name) + 1 if name in self.styles else 0


def check_style(name: str) -> str:
    """Return a style's name, or refuse one that is no name."""
    if not STYLE_NAME.fullmatch(name):
        raise BadConfig(f"style {name!r}: use letters, digits, blanks, _ and - only, at most 40.")
    return name


TINY = JamConfig(layers=2, width=32, heads=2, hidden=64, context=256)
LAPTOP = JamConfig()
STUDIO = JamConfig(layers=8, width=384, heads=6, hidden=1024, context=512, dropout=0.1)
