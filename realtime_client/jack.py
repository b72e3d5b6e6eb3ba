"""A MIDI system without a sound card: a JACK server of one's own, with its dummy driver, where jackd is installed.

with jack_server() as environment:      # for this process, and for those that are given the environment
    open_output("")                     # a virtual port, as on a machine with ALSA
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator

from models.music.errors import BadConfig, Unavailable
from realtime_client.ports import open_output

READY_S, ENDED_S, TAKEN_S = 10.0, 10.0, 0.5
NAMES = 6
SERVER = "JACK_DEFAULT_SERVER"


@contextlib.contextmanager
def jack_server() -> Iterator[str]:
    """Run one while the context lasts; gives its name, which the environment holds as well."""
    if not shutil.which("jackd"):
        raise BadConfig("jackd is not installed; it makes MIDI ports without a sound card: apt-get install jackd2.")
    before = os.environ.get(SERVER)
    name, server = _started()
    os.environ[SERVER] = name
    try:
        _wait_for(server)
        yield name
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(ENDED_S)
        server.kill()
        server.wait()
        del os.environ[SERVER]
        if before is not None:
            os.environ[SERVER] = before


def _started() -> tuple[str, subprocess.Popen]:
    """Take the first name that is free: a machine has eight in all, and one that was killed keeps its own until its name is used again."""
    for number in range(NAMES):
        name = f"jamflow-{number}"
        server = subprocess.Popen(_command(name), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(TAKEN_S)
            continue
        return name, server
    raise Unavailable(f"jackd did not begin under any of {NAMES} names. Are so many running? `ps -C jackd` tells.")


def _command(name: str) -> list[str]:
    """Take real time and blocks of 0.7 ms where that is allowed. Without -S and -t it loses messages; 32 ports are plenty."""
    how, frames = (["-R", "-P", "75"], "32") if _may_be_real_time() else (["-r"], "64")
    return ["jackd", "-n", name, *how, "-S", "-t", "2000", "-p", "32", "-d", "dummy", "-r", "48000", "-p", frames]


def _may_be_real_time() -> bool:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    except (OSError, AttributeError):
        return False
    return True


def _wait_for(server: subprocess.Popen) -> None:
    end = time.monotonic() + READY_S
    while server.poll() is None and time.monotonic() < end:
        with contextlib.suppress(BadConfig):
            return open_output("").close()
        time.sleep(0.1)
    raise Unavailable(f"jackd did not begin within {READY_S:g} s (exit code {server.poll()}).")
