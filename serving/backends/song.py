"""A song inside Triton: whatever engine plays, its stems leave in parts that fit the wire."""

from __future__ import annotations

import numpy as np

from models.music.audio import Audio
from models.separation.stems import Separator, stem_parts
from serving.backends.player import Playing
from serving.contract import Arrays
from serving.contracts.song import MAX_PART_FRAMES


def played(request: Arrays, separator: Separator) -> Playing:
    """Separate the song of a request."""
    song = Audio(request["mixture"], int(request["rate"][0]), "the mixture")
    for part in stem_parts(song, separator):
        stems = np.stack([part[name].samples for name in separator.stems])
        for start in range(0, stems.shape[-1], MAX_PART_FRAMES):
            yield {"stems": stems[..., start : start + MAX_PART_FRAMES]}
