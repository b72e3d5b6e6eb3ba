"""How late notes arrive at the far end of a MIDI port, and how unevenly: the live client's process beside the bare port.

    python -m benchmarks.live_port [seconds]

Ports are JACK's, with its dummy driver; a probe process at the receiving end stamps what arrives. Late is from when a note is
due to when it is there; for the bare port, from just before it is sent. Jitter is a note's distance from the median of all.
Both rows are of one run, a note every 10 ms. A host that steals this machine's time is seen in the last column.
"""

from __future__ import annotations

import contextlib
import json
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from time import perf_counter_ns
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from models.music.errors import BadConfig
from realtime_client.jack import jack_server
from realtime_client.messages import Beat, Hello, Known, Mailbox, Message, Note, Plan, Played, Quit, Stage, Status
from realtime_client.ports import open_output
from realtime_client.probe import probing
from realtime_client.settings import JamSettings

SECONDS = 20.0
JITTER_MS = 2.0
"""The bar, at p99."""
EVERY_MS, TEMPO_BPM, NOTE_TICKS = 10, 125.0, 20  # at 125 BPM a tick is half a millisecond
AHEAD = 100
"""Notes that are told in advance."""
PITCHES, KNOCK = range(20, 100), 0
READY_S = 10.0
ON = 0x90
Kind = TypeVar("Kind", bound=Message)
Times = dict[int, int]
"""Of the n-th note: ns."""


def bare_port(count: int, heard: Path) -> Times:
    """Send notes from this process by a plain alarm; when each was handed over."""
    sent: Times = {}
    with contextlib.closing(open_output("")) as port:
        end = time.monotonic() + READY_S
        while not (heard.exists() and heard.stat().st_size) and time.monotonic() < end:  # until the probe has found it
            port.send((ON, KNOCK, 1))
            time.sleep(0.1)
        begun_ns = perf_counter_ns()
        for n in range(count):
            time.sleep(max(0, begun_ns + n * EVERY_MS * 1_000_000 - perf_counter_ns()) / 1e9)
            sent[n] = perf_counter_ns()
            port.send((ON, PITCHES[n % len(PITCHES)], 100))
        time.sleep(0.2)
    return sent


def live_client(count: int, _: Path) -> Times:
    """Let rt play, told of notes a second ahead as a brain would; when each was due."""
    stage = Stage.anywhere()
    command = [sys.executable, "-m", "realtime_client.rt", stage.written(), JamSettings(tempo_bpm=TEMPO_BPM).written()]
    due: Times = {}
    with contextlib.closing(Mailbox(stage.brain, stage.secret)) as box:
        process = subprocess.Popen(command)
        try:
            _wait_for(box, Status)
            time.sleep(1.0)
            box.send(Hello("brain"), stage.rt)
            first = _wait_for(box, Beat).ticks + 4 * 960
            box.send(Plan(1, first), stage.rt)
            told, end = 0, time.monotonic() + 3.0 + count * EVERY_MS / 1000  # whatever was dropped
            while len(due) < count and time.monotonic() < end:
                for n in range(told, min(max(due, default=0) + AHEAD, count)):
                    onset, pitch = first + n * NOTE_TICKS, PITCHES[n % len(PITCHES)]
                    box.send(Note(1, pitch, 100, onset, NOTE_TICKS), stage.rt)
                    told = n + 1
                box.send(Known(1, first + (told + AHEAD) * NOTE_TICKS), stage.rt)
                select.select([box], [], [], 1.0)
                for message in box.read():
                    if isinstance(message, Played):
                        due[(message.onset_ticks - first) // NOTE_TICKS] = message.due_ns
            time.sleep(0.2)
            box.send(Quit(), stage.rt)
            process.wait(5)
        finally:
            process.kill()
            process.wait()
    return due


def _wait_for(box: Mailbox, kind: type[Kind]) -> Kind:
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        select.select([box], [], [], 0.1)
        for message in box.read():
            if isinstance(message, kind):
                return message
    raise TimeoutError(f"rt sent no {kind.__name__} within {READY_S:g} s")


def lateness_ms(times: Times, heard: Path) -> NDArray[np.float64]:
    """Pair each note-on that arrived with the next one of its pitch that was sent; those between them are lost."""
    late, n = [], 0
    for line in map(json.loads, heard.read_text().splitlines()):
        kind, pitch, *_ = line["data"]
        if kind == ON and pitch in PITCHES:
            n += (PITCHES.index(pitch) - n) % len(PITCHES)
            late += [(line["at_ns"] - times[n]) / 1e6] if n in times else []
            n += 1
    return np.array(late)


def stolen() -> tuple[int, int]:
    """Give the time that the host took from this machine, and all time, in clock ticks since it began."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return fields[7], sum(fields)


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # leave no process behind
    count = round(float(*arguments or [SECONDS]) * 1000 / EVERY_MS)
    print(
        f"{count} notes each, ms{'late p50':>13}{'p99':>8}{'max':>8}{'jitter p50':>13}{'p99':>8}{'lost':>7}{'stolen':>9}"
    )
    missed = 0
    with contextlib.ExitStack() as leaving:
        try:
            leaving.enter_context(jack_server())
        except BadConfig as error:
            print(f"skipped: {error}")
            return 0
        there = Path(leaving.enter_context(tempfile.TemporaryDirectory(prefix="jamflow-bench-")))
        for name, play in (("bare port", bare_port), ("live client", live_client)):
            before = stolen()
            heard = there / name
            with probing("Jamflow out", heard):
                times = play(count, heard)
            took, whole = (after - earlier for after, earlier in zip(stolen(), before, strict=True))
            late_ms = lateness_ms(times, heard)
            jitter_ms = np.abs(late_ms - np.median(late_ms))
            lost = count - len(late_ms)
            late = np.percentile(late_ms, (50, 99, 100))
            jitter = np.percentile(jitter_ms, (50, 99))
            print(f"{name:<14}{late[0]:17.2f}{late[1]:8.2f}{late[2]:8.2f}{jitter[0]:13.2f}{jitter[1]:8.2f}{lost:7d}{took / whole:9.1%}")  # fmt: skip
            if name == "live client":
                met = jitter[1] < JITTER_MS and not lost
                print(f"jitter p99 below {JITTER_MS:g} ms and nothing lost: {'met' if met else 'MISSED'}")
                missed += not met
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
