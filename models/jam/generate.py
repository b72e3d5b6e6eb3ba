"""A solo over a file of chords.  Run: jamflow run generate --conditioning chords.mid --style swing --out-dir out

generate("jam-model", "chords.mid", "out/solo.mid", Generating(style="swing", bars=16, seed=7))
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from models.jam.graph import Precision
from models.jam.play import NOTHING, Asked, play
from models.jam.repertoire import ANY, Repertoire, read_repertoire
from models.jam.sampling import Taste
from models.music.errors import BadInput
from models.music.midi import read_midi, write_parts
from models.music.notes import Take

MAX_BARS = 512


@dataclass(frozen=True)
class Generating:
    """How a solo is to be played over a file."""

    style: str = ANY
    """By name; any for none in particular."""
    bars: int = 0
    """How long; 0 as long as the file."""
    temperature: float = 1.0
    top_p: float = 0.8
    chord_bias: float = 0.0
    seed: int = 0
    primer_max_tokens: int = 0
    """At most so many words of what was played are kept in mind; 0 for as many as fit."""

    def __post_init__(self) -> None:
        if not 0 <= self.bars <= MAX_BARS or self.primer_max_tokens < 0:
            raise BadInput(
                f"bars is {self.bars}, primer_max_tokens {self.primer_max_tokens}; give 0 to {MAX_BARS} bars and 0 or"
                " more tokens (try 64)."
            )


def generate(
    model: str | os.PathLike[str],
    conditioning: str | os.PathLike[str],
    out: str | os.PathLike[str],
    wished: Generating = Generating(),
) -> int:
    """Write what the band plays and a solo over it, a track each; count the solo's notes."""
    band = read_midi(conditioning)
    solo = solo_over(read_repertoire(model), band, wished)
    write_parts(out, {"Conditioning": band, "Lead": solo})
    return len(solo)


def solo_over(repertoire: Repertoire, band: Take, wished: Generating, precision: Precision | Literal[""] = "") -> Take:
    """Play a solo over a band; its chords are heard in what it plays."""
    bars = wished.bars or min(band.bars, MAX_BARS)
    style = repertoire.place_of(wished.style)
    asked = Asked(
        0,
        bars * band.ticks_per_bar,
        band.tempo_bpm,
        band.meter,
        band=band.notes,
        style=style,
        taste=Taste(wished.temperature, wished.top_p, wished.chord_bias),
        seed=wished.seed,
        most_words=wished.primer_max_tokens,
    )
    notes = list(play(repertoire.decoder(style, precision).open(), repertoire, asked))
    return Take(
        np.concatenate(notes) if notes else NOTHING, band.tempo_bpm, band.meter, f"{Path(band.label).stem} solo"
    )
