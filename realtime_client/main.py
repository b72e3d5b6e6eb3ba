"""What `jamflow jam` does (pipelines/commands/jam.py reads its flags).

play(settings)                    until Ctrl-C, or for some seconds
devices()                         lines: the MIDI ports of this machine
report("")                        lines: how the last recorded session went
panic()                           silence, whoever plays
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from realtime_client.band import Band
from realtime_client.messages import Control, Mailbox, Message, Stage
from realtime_client.ports import OUR_INPUT, OUR_OUTPUT, list_ports
from realtime_client.recorder import HEARD, newest_session
from realtime_client.session import Running, announced, running_session, sessions
from realtime_client.settings import JamSettings

Listener = Callable[[Message], None]


def play(settings: JamSettings, seconds: float = 0.0, listener: Listener = lambda message: None) -> None:
    """Play until Ctrl-C, or for some seconds; the listener hears what main hears."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stage = Stage.anywhere()
    with Band(settings, stage) as band, announced(Running(stage, os.getpid(), settings)):
        band.wait_until_it_plays()
        end = time.monotonic() + (seconds or float("inf"))
        while not stopped.is_set() and time.monotonic() < end:
            for message in band.tend():
                listener(message)


def devices() -> Iterator[str]:
    """Name the MIDI ports."""
    names = list_ports()
    for what, found in (("inputs", names.inputs), ("outputs", names.outputs)):
        yield from [what, *(f"  {name}" for name in found or ("none",))]
    yield f"Without names, `jamflow jam play` opens ports of its own: {OUR_INPUT} and {OUR_OUTPUT}. A part of a name chooses another."


def report(session: str) -> Iterator[str]:
    """Tell how a session went: a recorded one, the newest of a folder, or the newest of all."""
    from realtime_client.report import write_report

    place = Path(session) if session else sessions()
    file = place if place.is_file() else newest_session(place)
    heard = file.with_suffix(HEARD)
    yield from write_report(file, heard if heard.exists() else None)


def panic() -> bool:
    """Silence the running session; whether there was one."""
    running = running_session()
    if running is None:
        return False
    mailbox = Mailbox((running.stage.main[0], 0), running.stage.secret)
    try:
        mailbox.send(Control("panic"), running.stage.rt, running.stage.brain, running.stage.ui)
    finally:
        mailbox.close()
    return True
