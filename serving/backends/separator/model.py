"""A separator inside Triton: a song in, its stems out, part after part."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.music.audio import Audio
from models.music.errors import BadInput
from models.separation.stems import load_separator, stem_parts
from serving.backends.backend import Backend
from serving.backends.player import Cancelled, Playing
from serving.contract import Arrays
from serving.contracts.separator import MAX_PART_FRAMES, SEPARATOR, STEM_NAMES


class SeparatorPlayer:
    """Whatever engine the model's folder names."""

    def __init__(self, folder: Path) -> None:
        self._separator = load_separator(folder)
        if tuple(self._separator.stems) != STEM_NAMES:
            known = ", ".join(self._separator.stems)
            raise BadInput(f"separator: its stems are {known}; {', '.join(STEM_NAMES)} are served. Train another.")

    def parts(self, request: Arrays, cancelled: Cancelled) -> Playing:
        song = Audio(request["mixture"], int(request["rate"][0]), "the mixture")
        for part in stem_parts(song, self._separator):
            stems = np.stack([part[name].samples for name in STEM_NAMES])
            for start in range(0, stems.shape[-1], MAX_PART_FRAMES):
                yield {"stems": stems[..., start : start + MAX_PART_FRAMES]}


class TritonPythonModel(Backend):
    contract = SEPARATOR

    def open_player(self, folder: Path) -> SeparatorPlayer:
        return SeparatorPlayer(folder)
