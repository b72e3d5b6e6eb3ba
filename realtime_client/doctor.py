"""What `jamflow jam doctor` looks at: whether a session with these settings would play, and what to do where it would not.

for finding in checks(settings): print(finding.what, finding.found, finding.advice)

Ports are opened for a moment, as a session would open them, and closed again; nothing is changed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from models.music.errors import JamflowError
from models.music.finding import Finding
from realtime_client.hush import hushed
from realtime_client.inside import INSIDE
from realtime_client.messages import LOOPBACK
from realtime_client.session import running_session
from realtime_client.settings import JamSettings

SCRIPT = Path(__file__).with_name("fl_studio") / "device_Jamflow.py"
FL_HARDWARE = Path("Image-Line") / "FL Studio" / "Settings" / "Hardware"
ROUGH_CLOCK_MS, LATE_MS, SLOW_MS = 0.1, 3.0, 250.0
PATIENCE_S = 5.0
NAPS = 40


class Midi(Protocol):
    """What the ports module gives."""

    def open_input(self, name: str) -> Any: ...
    def open_output(self, name: str) -> Any: ...
    def list_ports(self) -> tuple[tuple[str, ...], tuple[str, ...]]: ...


def checks(settings: JamSettings, midi: Midi | None = None, home: Path | None = None) -> list[Finding]:
    """Look at everything that a session with these settings needs."""
    with hushed():
        return [finding for look in _looks(settings, midi, home or Path.home()) if (finding := look())]


def _looks(settings: JamSettings, midi: Midi | None, home: Path) -> Iterator[Callable[[], Finding | None]]:
    yield package
    if midi is None and importlib.util.find_spec("rtmidi"):
        from realtime_client import ports

        midi = ports
    if midi is not None:
        yield lambda: port("Input", settings.input_port, midi.open_input)
        yield lambda: port("Output", settings.output_port, midi.open_output)
        yield lambda: feedback(settings, *midi.list_ports())
    if settings.clock == "fl" or (home / "Documents" / FL_HARDWARE.parts[0]).is_dir():
        yield lambda: bridge(settings, home)
    yield lambda: server(settings)
    yield clock
    yield wakes
    yield priority
    yield lambda: page(settings)
    yield session
    yield lambda: recording(settings)


def package() -> Finding:
    if importlib.util.find_spec("rtmidi") is None:
        return Finding("python-rtmidi", "missing", "not installed", 'pip install "jamflow[realtime]"')
    return Finding("python-rtmidi", "good", "installed")


def port(what: str, name: str, open_port: Callable[[str], Any]) -> Finding:
    """Open a port as a session would."""
    try:
        with contextlib.closing(open_port(name)) as opened:
            shown = opened.name
    except JamflowError as error:
        return Finding.of(what, error)
    if name.startswith(INSIDE):
        return Finding(what, "optional", f"{shown}, a port of our own: no DAW sees it")
    return Finding(what, "good", shown if name else f"a virtual port, {shown!r}")


def feedback(settings: JamSettings, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> Finding | None:
    """Whether the soloist would hear itself: loopMIDI and IAC give what goes into a port out of the same one."""
    heard, played = _matching(settings.input_port, inputs), _matching(settings.output_port, outputs)
    if not heard or not played:
        return None
    if _cable(heard[0]) == _cable(played[0]):
        advice = "make two ports and give each its own: --input-port and --output-port"
        return Finding("Two cables", "missing", f"input and output are both {heard[0]!r}: it would hear itself", advice)
    several = [names for names in (heard, played) if len(names) > 1]
    if several:
        advice = f"{several[0][0]!r} is taken; give a longer part of the name for another"
        return Finding("Two cables", "optional", f"{len(several[0])} ports have this name", advice)
    return Finding("Two cables", "good", f"hears {heard[0]!r}, plays into {played[0]!r}")


def bridge(settings: JamSettings, home: Path) -> Finding:
    """FL Studio's script: whether it is where FL looks, and ours."""
    folder = home / "Documents" / FL_HARDWARE / "Jamflow"
    there = folder / SCRIPT.name
    numbers = "in FL's MIDI settings give the input and the output of Jamflow the same port number"
    if not (home / "Documents" / FL_HARDWARE.parts[0]).is_dir():
        found = "FL Studio's folder is not in Documents of this machine"
        return Finding(
            "FL Studio", "optional", found, f"copy {SCRIPT} to Settings/Hardware/Jamflow of FL's user data folder"
        )
    if not there.is_file():
        return Finding("FL Studio", "missing", "the script is not in FL's folder", f"copy {SCRIPT} into {folder}")
    if there.read_bytes() != SCRIPT.read_bytes():
        return Finding("FL Studio", "missing", "FL has the script of another version", f"copy {SCRIPT} over {there}")
    if settings.clock != "fl":
        return Finding(
            "FL Studio", "optional", "the script is there, but another clock is chosen", "--clock fl follows FL"
        )
    return Finding("FL Studio", "good", "the script is there", numbers)


def server(settings: JamSettings) -> Finding:
    """Ask the server for its canary: health is a played note."""
    if not settings.server:
        advice = "for solos: jamflow serve --detach here, or --server HOST:PORT of another machine"
        return Finding("Server", "optional", "none; fallback phrases are played", advice)
    if importlib.util.find_spec("tritonclient") is None:
        return Finding("Server", "missing", "tritonclient is not installed", 'pip install "jamflow[realtime]"')
    from serving.client import JamflowClient
    from serving.contracts.jam import JAM

    try:
        with JamflowClient(settings.server, deadline_s=PATIENCE_S) as client:
            client.prove(JAM)
            began = time.perf_counter_ns()
            client.prove(JAM)
            took_ms = (time.perf_counter_ns() - began) / 1e6
    except JamflowError as error:
        return Finding.of("Server", error)
    if took_ms > SLOW_MS:  # three bars are more than a session asks for at a time
        return Finding(
            "Server", "optional", f"plays jam, slowly: three bars in {took_ms:.0f} ms", "a nearer or faster one"
        )
    return Finding("Server", "good", f"{settings.server} plays jam: three bars in {took_ms:.0f} ms")


def clock() -> Finding:
    """The smallest step of the clock that notes are timed by."""
    steps, last = [], time.perf_counter_ns()
    end = last + 20_000_000
    while last < end:
        now = time.perf_counter_ns()
        if now > last:
            steps.append(now - last)
        last = now
    step_ms = min(steps) / 1e6
    if step_ms > ROUGH_CLOCK_MS:
        return Finding(
            "Clock", "missing", f"it moves in steps of {step_ms:.2f} ms", "a real machine instead of this virtual one"
        )
    return Finding("Clock", "good", f"steps of {step_ms * 1000:.2g} µs")


def wakes() -> Finding:
    """How late this process wakes from a nap of 2 ms; the one that plays has priority, so this is the worst of it."""
    late_ms = []
    for _ in range(NAPS):
        due = time.perf_counter_ns() + 2_000_000
        time.sleep(0.002)
        late_ms.append((time.perf_counter_ns() - due) / 1e6)
    middle = statistics.median(late_ms)
    if middle > LATE_MS:
        return Finding(
            "Wakes", "optional", f"{middle:.1f} ms late", "close what keeps the processor busy; plug the laptop in"
        )
    return Finding("Wakes", "good", f"{middle:.2f} ms late at a common priority")


def priority() -> Finding:
    """Whether the process that plays may go before all others."""
    if not hasattr(os, "sched_setscheduler"):
        return Finding("Priority", "good", "the system's own")
    before, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(os.sched_get_priority_min(os.SCHED_FIFO)))
        os.sched_setscheduler(0, before, parameters)
    except OSError:
        advice = "put `@audio - rtprio 95` in /etc/security/limits.d/audio.conf, join the group audio, log in again"
        return Finding(
            "Priority", "optional", "real-time priority is not allowed: notes may be late under load", advice
        )
    return Finding("Priority", "good", "real-time priority is allowed")


def page(settings: JamSettings) -> Finding:
    if not settings.page_port:
        return Finding("Page", "good", "takes a free port of 127.0.0.1")
    try:
        with socket.socket() as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, settings.page_port))
    except OSError:
        return Finding(
            "Page",
            "missing",
            f"port {settings.page_port} is taken",
            "choose another with --page-port, or end the other",
        )
    return Finding("Page", "good", f"port {settings.page_port} is free")


def session() -> Finding | None:
    running = running_session()
    if running is None:
        return None
    return Finding(
        "Session", "optional", f"one runs already (process {running.pid})", "end it with Ctrl-C where it runs"
    )


def recording(settings: JamSettings) -> Finding | None:
    if not settings.record:
        return None
    place = Path(settings.record).expanduser().absolute()
    there = next(path for path in (place, *place.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        return Finding(
            "Recording", "missing", f"nothing can be written into {place}", "give another folder with --record"
        )
    return Finding("Recording", "good", str(place))


def _matching(wanted: str, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if wanted and wanted.lower() in name.lower()]


def _cable(name: str) -> str:
    """A port's name without the number that Windows puts behind it, once for inputs and once for outputs."""
    return re.sub(r"\s+\d+$", "", name).lower() if sys.platform == "win32" else name.lower()
