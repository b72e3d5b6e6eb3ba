"""Songs as a voice and what accompanies it, whatever stems they were prepared with.

for song in sung(corpus, "test"):
    song.stems()                            # float32[2 parts, 2, t]: vocals, instrumental
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.music.errors import BadInput
from models.separation.counterfactual.config import VOCALS
from models.separation.dataset import Corpus, PreparedSong


@dataclass(frozen=True)
class SungSong(PreparedSong):
    """A song on disk, read as two parts."""

    voice: int
    """Which of its stems is sung."""

    def stems(self) -> NDArray[np.float32]:
        stems = super().stems()
        vocals = stems[self.voice]
        return np.stack([vocals, stems.sum(0) - vocals])


def sung(corpus: Corpus, split: str) -> list[SungSong]:
    """The songs of a split."""
    return [SungSong(**vars(song), voice=voice_of(corpus)) for song in corpus[split]]


def voice_of(corpus: Corpus) -> int:
    """The place of the vocals among a corpus's stems."""
    if VOCALS not in corpus.stems or len(corpus.stems) < 2:
        told = ", ".join(corpus.stems)
        raise BadInput(f"separation data: stems are {told}; {VOCALS} and another are needed. Prepare the songs again.")
    return corpus.stems.index(VOCALS)
