"""Answers in parts: each request is played by a thread of the crew, so that nobody else is kept waiting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from serving.backends.crew import Crew, Line
from serving.backends.player import StreamPlayer
from serving.backends.tensors import read
from serving.contract import Arrays, ModelContract


class InParts(ABC):
    """Triton's requests to a model whose answers come in parts, played by a crew."""

    def __init__(
        self, contract: ModelContract, name: str, version: str, housekeeping: Callable[[], None] = lambda: None
    ) -> None:
        self._contract = contract
        self._crew = Crew(contract, name, version, housekeeping)

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

    @abstractmethod
    def _take(self, request: Any, line: Line) -> None:
        """Do what a request asks for, or raise why not."""

    def _admitted(self, request: Any, line: Line) -> Arrays:
        """What a request asks the player, once it is sure that the crew has a place for it."""
        asked = read(request, self._contract)
        self._contract.check(asked)
        self._crew.admit(line)
        return {name: np.array(array) for name, array in asked.items()}  # the wire's memory goes with the request


class Streams(InParts):
    """Triton's requests over a player of streams."""

    def __init__(self, contract: ModelContract, player: StreamPlayer, name: str, version: str) -> None:
        super().__init__(contract, name, version)
        self._player = player

    def _take(self, request: Any, line: Line) -> None:
        asked = self._admitted(request, line)
        self._crew.soon(partial(self._crew.play, line, partial(self._player.parts, asked, line.stopped)))
