"""What a model's backend brings: a player of one of three kinds, by the mode of its contract.

    batched   play([request, ...]) -> [answer, ...]                     one answer each, whatever the company
    stream    parts(request, cancelled) -> parts, as they are made      a generator
    session   open() -> Session                                         remembers what it was asked before

A player raises a JamflowError when a request cannot be answered. It runs in a thread that torch does not know: whoever uses
torch enters its inference mode there. Between parts the work ends by itself once nobody listens; a player whose parts take
long looks at `cancelled()` now and then as well.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Protocol

from serving.contract import Arrays

Cancelled = Callable[[], bool]
Playing = Generator[Arrays, None, None]


class BatchPlayer(Protocol):
    def play(self, requests: list[Arrays]) -> list[Arrays]: ...


class StreamPlayer(Protocol):
    def parts(self, request: Arrays, cancelled: Cancelled) -> Playing: ...


class PlayerSession(Protocol):
    """One listener's conversation; its requests never overlap."""

    nbytes: int
    """What it keeps in memory between requests."""

    def parts(self, request: Arrays, cancelled: Cancelled) -> Playing: ...

    def close(self) -> None: ...


class SessionPlayer(Protocol):
    def open(self) -> PlayerSession: ...


Player = BatchPlayer | StreamPlayer | SessionPlayer
