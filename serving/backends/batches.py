"""Requests in batches: each is answered, and one that is refused takes no other with it."""

from __future__ import annotations

from typing import Any

from models.music.errors import JamflowError
from serving.backends.player import BatchPlayer
from serving.backends.tensors import read, response
from serving.contract import Arrays, ModelContract


class Batches:
    """Triton's requests over a player of batches."""

    def __init__(self, contract: ModelContract, player: BatchPlayer, *_: str) -> None:
        self._contract, self._player = contract, player

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer each request of a batch."""
        asked = [self._read(request) for request in requests]
        played = iter(self._played([request for request in asked if not isinstance(request, JamflowError)]))
        answers = [request if isinstance(request, JamflowError) else next(played) for request in asked]
        return [response(self._contract, answer) for answer in answers]

    def close(self) -> None:
        """Nothing outlives a batch."""

    def _read(self, request: Any) -> Arrays | JamflowError:
        try:
            arrays = read(request, self._contract)
            self._contract.check(arrays)
        except JamflowError as error:
            return error
        return arrays

    def _played(self, requests: list[Arrays]) -> list[Arrays | Exception]:
        if not requests:
            return []
        try:
            return list(self._player.play(requests))
        except Exception as error:
            if len(requests) > 1:  # find the culprit; the rest are answered all the same
                return [self._played([request])[0] for request in requests]
            return [error]
