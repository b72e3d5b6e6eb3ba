"""Whoever can be asked for music: a server at an address, or the same player in this process.

reply = asker.ask(GROOVE, {"hits": hits, ...})      # serving/client.py and serving/in_process.py are askers
reply = groove(asker, hits, bars=2)                 # and this is how a musician asks (serving/contracts/)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from serving.contract import Arrays, ModelContract


@dataclass(frozen=True)
class Reply:
    """What any model answered, and which version of it."""

    arrays: Arrays
    model_version: int
    """The MLflow version that played: the key to everything known about it; 0 for a folder that was never registered."""


class Asker(Protocol):
    """Answers requests that fit a contract."""

    def ask(self, contract: ModelContract, arrays: Arrays, deadline_s: float | None = None) -> Reply: ...
