"""Who plays a groove, the model in this process or the one behind the server, and showing what was played.

play = groove_player(local=True)            # hits, bars, seed -> notes; what models.drums.pocket asks for
present(laid, "groove")                     # picture and sound into the stage's record
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backstage.tracking import log_audio, log_picture
from models.drums.pocket import Play
from models.drums.session import Laid

SERVING = "serving.json"
DEADLINE_S = 60.0

Notes = NDArray[np.int32]


def groove_player(local: bool, home: str = "", mode: str = "humanise", temperature: float = 0.0) -> Play:
    """Give a player: the starter model here, or the champion of the server whose serving.json lies in home."""
    return _in_process(mode, temperature) if local else _on_server(Path(home), mode, temperature)


def _in_process(mode: str, temperature: float) -> Play:
    from models.groove.humaniser import Humaniser
    from models.groove.request import GrooveRequest

    humaniser = Humaniser.load()

    def play(hits: Notes, bars: int, seed: int) -> Notes:
        [notes] = humaniser.play([GrooveRequest(hits, bars, mode, temperature, seed)])  # type: ignore[arg-type]
        return notes

    return play


def _on_server(home: Path, mode: str, temperature: float) -> Play:
    from serving.client import JamflowClient
    from serving.contracts.groove import groove
    from serving.endpoint import Endpoint

    endpoint = Endpoint.read(home / SERVING)

    def play(hits: Notes, bars: int, seed: int) -> Notes:
        with JamflowClient(endpoint.grpc_url, DEADLINE_S) as client:
            return groove(client, hits, bars, mode, temperature, seed).notes

    return play


def present(laid: Laid, name: str) -> int:
    """Show a set that was laid; return how many events it has."""
    log_picture(name, laid.picture)
    if laid.sound.is_file():
        log_audio(name, laid.sound)
    return laid.events
