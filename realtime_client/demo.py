"""A session without hands: a player from the practice room, a soloist, a MIDI file and its figures.

for line in demo(settings, Path("jam-demo"), seconds=60): print(line)
session = perform(settings, events, seconds, heard)        # the same for any player, with a probe at the receiving end

A demo needs no MIDI system: player, soloist and probe meet at ports of our own, unless `output_port` names one to listen at.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path

from realtime_client.band import Band
from realtime_client.player import Event, performance
from realtime_client.ports import INSIDE, OUR_INPUT, OUR_OUTPUT, open_output
from realtime_client.probe import probing
from realtime_client.recorder import HEARD, newest_session
from realtime_client.report import write_report
from realtime_client.settings import JamSettings

FINDS_S, TAIL_S = 1.0, 2.0
"""Ports find one another; the last phrase rings out."""


def demo(settings: JamSettings, out: Path, seconds: float) -> Iterator[str]:
    """Play for so long; say where everything is."""
    out.mkdir(parents=True, exist_ok=True)
    port = f"{INSIDE}demo {os.getpid()}"
    settings = settings._replace(
        input_port=f"{port} in", output_port=settings.output_port or f"{port} out", record=str(out), terminal=False
    )
    yield f"A practice-room player at {settings.tempo_bpm:g} bpm for {seconds:g} s; {_who(settings)}."
    heard = out / HEARD if settings.output_port.startswith(INSIDE) else None
    session = perform(settings, performance(settings.seed, seconds, settings.tempo_bpm).events, seconds, heard)
    yield from write_report(session, heard and heard.replace(session.with_suffix(HEARD)))


def perform(settings: JamSettings, events: Iterable[Event], seconds: float, heard: Path | None) -> Path:
    """Record a session in which somebody plays these; what arrives at the far end is written down by a process there."""
    listening = probing(settings.output_port or OUR_OUTPUT, heard) if heard else nullcontext()
    with listening, Band(settings) as band:
        band.wait_until_it_plays()
        player = threading.Thread(target=_play, args=(settings.input_port or OUR_INPUT, events), daemon=True)
        player.start()
        end = time.monotonic() + FINDS_S + seconds + TAIL_S
        while time.monotonic() < end:
            band.tend()
    return newest_session(Path(settings.record))


def _play(port_name: str, events: Iterable[Event]) -> None:
    """Be the player: each message goes into the soloist's port at its time."""
    with closing(open_output(port_name)) as port:
        time.sleep(FINDS_S)
        began = time.perf_counter()
        for at_s, data in events:
            time.sleep(max(0.0, began + at_s - time.perf_counter()))
            port.send(data)


def _who(settings: JamSettings) -> str:
    if settings.server:
        return f"solos come from {settings.server}"
    return "no server is there, so fallback phrases are played"
