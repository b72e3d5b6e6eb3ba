"""The groove model inside Triton: hits in, notes out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.groove.humaniser import Humaniser
from models.groove.request import GrooveRequest
from serving.backends.backend import Backend
from serving.contract import Arrays
from serving.contracts.groove import GROOVE, MODES


class GroovePlayer:
    """Turns wire arrays into groove requests, and their notes back."""

    def __init__(self, folder: Path) -> None:
        self._humaniser = Humaniser.load(folder)

    def play(self, requests: list[Arrays]) -> list[Arrays]:
        played = self._humaniser.play([_spoken(request) for request in requests])
        return [{"notes": np.asarray(notes, np.int32)} for notes in played]


class TritonPythonModel(Backend):
    contract = GROOVE

    def open_player(self, folder: Path) -> GroovePlayer:
        return GroovePlayer(folder)


def _spoken(request: Arrays) -> GrooveRequest:
    return GrooveRequest(
        hits=np.array(request["hits"]),  # our own: the wire's memory goes with the request
        bars=int(request["bars"][0]),
        mode=MODES[int(request["mode"][0])],
        temperature=float(request["temperature"][0]),
        seed=int(request["seed"][0]),
    )
