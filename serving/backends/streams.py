"""Answers in parts: each request is played by a thread of the crew, so that nobody else is kept waiting."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from serving.backends.crew import Crew, Line
from serving.backends.player import StreamPlayer
from serving.backends.tensors import read
from serving.contract import ModelContract


class Streams:
    """Triton's requests over a player of streams."""

    def __init__(self, contract: ModelContract, player: StreamPlayer, name: str, version: str) -> None:
        self._contract, self._player = contract, player
        self._crew = Crew(contract, name, version)

    def execute(self, requests: list[Any]) -> None:
        """Take requests in; they are answered later, each on its line."""
        for request in requests:
            line = Line(self._contract, request)
            try:
                self._take(request, line)
            except Exception as error:
                line.end(error)

    def close(self) -> None:
        self._crew.close()

    def _take(self, request: Any, line: Line) -> None:
        asked = read(request, self._contract)
        self._contract.check(asked)
        arrays = {name: np.array(array) for name, array in asked.items()}  # the wire's memory goes with the request
        self._crew.admit(line)
        self._crew.soon(partial(self._crew.play, line, partial(self._player.parts, arrays, line.stopped)))
