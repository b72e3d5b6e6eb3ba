"""Which model plays: the champion that a server serves, the starter that comes with Jamflow, or a folder of yours.

    voice = open_voice("groove", "champion", where)         # or "starter", or a trained model's folder
    groove(voice.asker, hits, bars=2)
    voice.spoken                                            # "groove: champion 3 at 127.0.0.1:8001"

Where no champion is served the starter plays instead, and `spoken` says so and why. One choice serves a run that uses
several families: a folder takes the part of its own kind, and the champions play the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.music.errors import ServingError
from models.music.files import read_mapping
from serving.asker import Asker
from serving.choice import STARTER, own_folder, starter_folder
from serving.client import JamflowClient
from serving.endpoint import Endpoint
from serving.families import Family, family
from serving.in_process import InProcess
from serving.where import Where

DEADLINE_S = 60.0
"""The longest answer of a stage's request: a take of 256 bars on a busy server."""


@dataclass(frozen=True)
class Voice:
    """Whom to ask, and who that is."""

    asker: Asker
    spoken: str
    folder: Path | None = None
    """The model's folder, when it plays in this process."""


def open_voice(name: str, voice: str, where: Where) -> Voice:
    """Open the voice that a flag names."""
    if voice == STARTER:
        return _starter(name)
    folder = own_folder(voice)
    if folder is None or read_mapping(folder / "config.json").get("kind") != name:
        return _champion(family(name), where)
    return Voice(InProcess(folder), f"{name}: {voice}", folder)


def _champion(kept: Family, where: Where) -> Voice:
    endpoint = Endpoint.of(where.server)
    if endpoint is None:
        return _starter(kept.name, " (no server runs; `jamflow serve` starts one)")
    client = JamflowClient(endpoint.grpc_url, DEADLINE_S)
    try:
        version = client.prove(kept.contract).model_version
    except ServingError as error:
        client.close()
        return _starter(kept.name, f" (no champion answers: {error})")
    return Voice(client, f"{kept.name}: champion {version} at {endpoint.grpc_url}")


def _starter(name: str, why: str = "") -> Voice:
    folder = starter_folder(name, why)
    return Voice(InProcess(folder), f"{name}: starter{why}", folder)
