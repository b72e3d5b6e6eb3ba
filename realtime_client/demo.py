"""A session without hands: a player from the practice room, a soloist, a MIDI file and its figures.

for line in demo(settings, Path("jam-demo"), seconds=60): print(line)

It needs no MIDI system: player, soloist and a probe at the receiving end meet at ports of our own, unless `output_port` names
one to listen at.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path

from realtime_client.band import Band
from realtime_client.player import performance
from realtime_client.ports import INSIDE, open_output
from realtime_client.probe import probing
from realtime_client.recorder import HEARD, newest_session
from realtime_client.report import write_report
from realtime_client.settings import JamSettings

TAIL_S = 2.0
"""The last phrase rings out."""


def demo(settings: JamSettings, out: Path, seconds: float) -> Iterator[str]:
    """Play for so long; say where everything is."""
    out.mkdir(parents=True, exist_ok=True)
    port = f"{INSIDE}demo {os.getpid()}"
    settings = settings._replace(
        input_port=f"{port} in", output_port=settings.output_port or f"{port} out", record=str(out), terminal=False
    )
    yield f"A practice-room player at {settings.tempo_bpm:g} bpm for {seconds:g} s; {_who(settings)}."
    heard = out / HEARD if settings.output_port.startswith(INSIDE) else None
    with probing(settings.output_port, heard) if heard else nullcontext(), Band(settings) as band:
        band.wait_until_it_plays()
        player = threading.Thread(target=_play, args=(settings, seconds), daemon=True)
        player.start()
        end = time.monotonic() + seconds + TAIL_S
        while time.monotonic() < end:
            band.tend()
    session = newest_session(out)
    yield from write_report(session, heard and heard.replace(session.with_suffix(HEARD)))


def _play(settings: JamSettings, seconds: float) -> None:
    """Be the player: what the practice room makes up goes into the input port at its time."""
    began = time.perf_counter()
    with closing(open_output(settings.input_port)) as port:
        for at_s, data in performance(settings.seed, seconds, settings.tempo_bpm).events:
            time.sleep(max(0.0, began + at_s - time.perf_counter()))
            port.send(data)


def _who(settings: JamSettings) -> str:
    return (
        f"solos come from {settings.server}"
        if settings.server
        else "no server is there, so fallback phrases are played"
    )
