"""One look at a server: whether it answers, and what it plays. Status, doctor, keeper and watchdog all look through it.

seen = look(endpoint)
seen.answers, seen.playing, seen.spoken
amiss(seen, cast, repository)           # what is not as it was cast, or ""
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

from models.music.errors import ServingError
from serving.control import Control
from serving.endpoint import Endpoint
from serving.families import FAMILIES
from serving.repository import REHEARSAL, Repository

PATIENCE_S = 3.0


@dataclass(frozen=True)
class Cast:
    """Who shall play, and who cannot."""

    playing: dict[str, int] = field(default_factory=dict)
    """The version of every family that plays."""
    silent: dict[str, str] = field(default_factory=dict)
    """What is in the way of every family that has a model and does not play."""


@dataclass(frozen=True)
class Seen:
    """What a look at a server showed."""

    answers: bool
    spoken: str
    """One line for whoever asked."""
    playing: dict[str, int] = field(default_factory=dict)
    """The version of every model that plays: families under their names, and rehearsals under theirs."""


def look(endpoint: Endpoint, patience_s: float = PATIENCE_S) -> Seen:
    """Ask a server who it is and what it plays."""
    where = f"{endpoint.grpc_url} (process {endpoint.pid})"
    with contextlib.closing(Control(endpoint)) as control:
        try:
            control.verify(patience_s)
            playing = control.served(patience_s)
        except ServingError as error:
            return Seen(False, f"{where} does not answer ({error})")
    ours = [f"{name} {version}" for name, version in sorted(playing.items()) if name in FAMILIES]
    return Seen(True, f"{where} plays {', '.join(ours) or 'nothing'}", playing)


def amiss(seen: Seen, cast: Cast, scores: Repository) -> str:
    """Name the models that are not as they were cast: another version plays, files are missing, a rehearsal was left."""
    found = {name for name in FAMILIES if seen.playing.get(name) != cast.playing.get(name)}
    found |= {name for name, version in cast.playing.items() if not scores.looks_whole(name, version)}
    found |= {name for name in seen.playing if REHEARSAL in name and name.partition(REHEARSAL)[0] in FAMILIES}
    return ", ".join(sorted(found | set(cast.silent)))
