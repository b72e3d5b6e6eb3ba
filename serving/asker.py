"""Whoever can be asked for music: a server at an address, or the same player in this process.

    reply = asker.ask(GROOVE, {"hits": hits, ...})      # serving/client.py and serving/in_process.py are askers
    reply = groove(asker, hits, bars=2)                 # and this is how a musician asks (serving/contracts/)

A contract says how its answers come. A batched model is asked; a stream gives its answer in parts, as they are made; a
session remembers from one request to the next and answers each in parts:

    with asker.stream(SEPARATOR, {"mixture": mixture}) as parts:      # leaving early stops the work
        for part in parts: ...
    with asker.session(JAM) as session:
        for note in session.ask({"chords": chords, ...}): ...         # session.stop() from another thread silences it

`whole` asks in whichever way a contract wants and gives one answer, for all who only compare.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from serving.contract import Arrays, ModelContract


@dataclass(frozen=True)
class Reply:
    """What any model answered, or a part of it, and which version of it."""

    arrays: Arrays
    model_version: int
    """The MLflow version that played: the key to everything known about it; 0 for a folder that was never registered."""


class Parts(ABC, Iterator[Reply]):
    """The parts of one answer, in order; whoever closes them before the last one stops the work behind them."""

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:  # `for part in parts: break` leaves nobody playing
        self.close()


class Session(ABC):
    """A conversation with one model, which remembers what it was asked before; its answers never overlap."""

    @abstractmethod
    def ask(self, arrays: Arrays, deadline_s: float | None = None) -> Parts:
        """Ask for the next answer; it begins when the one before has ended."""

    @abstractmethod
    def stop(self) -> None:
        """End everything asked so far, at the next part; what came until then stands."""

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Asker(Protocol):
    """Answers requests that fit a contract. `deadline_s` is the longest silence, in place of the contract's patience."""

    def ask(
        self, contract: ModelContract, arrays: Arrays, deadline_s: float | None = None, version: int | None = None
    ) -> Reply: ...

    def stream(
        self, contract: ModelContract, arrays: Arrays, deadline_s: float | None = None, version: int | None = None
    ) -> Parts: ...

    def session(
        self, contract: ModelContract, deadline_s: float | None = None, version: int | None = None
    ) -> Session: ...


def whole(
    asker: Asker,
    contract: ModelContract,
    arrays: Arrays,
    deadline_s: float | None = None,
    version: int | None = None,
) -> Reply:
    """Ask in the way of the contract and wait for the whole answer."""
    if contract.mode == "batched":
        return asker.ask(contract, arrays, deadline_s, version)
    with contextlib.ExitStack() as leaving:
        if contract.mode == "session":
            session = leaving.enter_context(asker.session(contract, deadline_s, version))
            parts = list(session.ask(arrays))
        else:
            parts = list(leaving.enter_context(asker.stream(contract, arrays, deadline_s, version)))
    return Reply(contract.join([part.arrays for part in parts]), parts[-1].model_version if parts else 0)
