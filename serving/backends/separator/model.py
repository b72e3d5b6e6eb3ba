"""A separator inside Triton: a song in, its stems out, part after part."""

from __future__ import annotations

from pathlib import Path

from models.music.errors import BadInput
from models.separation.stems import load_engine
from serving.backends.backend import Backend
from serving.backends.player import Cancelled, Playing
from serving.backends.song import played
from serving.contract import Arrays
from serving.contracts.separator import SEPARATOR, STEM_NAMES


class SeparatorPlayer:
    """Whatever engine the model's folder names."""

    def __init__(self, folder: Path) -> None:
        self._separator = load_engine(folder)
        if tuple(self._separator.stems) != STEM_NAMES:
            known = ", ".join(self._separator.stems)
            raise BadInput(f"separator: its stems are {known}; {', '.join(STEM_NAMES)} are served. Train another.")

    def parts(self, request: Arrays, cancelled: Cancelled) -> Playing:
        return played(request, self._separator)


class TritonPythonModel(Backend):
    contract = SEPARATOR

    def open_player(self, folder: Path) -> SeparatorPlayer:
        return SeparatorPlayer(folder)
