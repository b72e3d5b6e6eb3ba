"""What the player does, stamped the moment it comes, and the echo of our own notes kept out.

    arrivals = Arrivals()                   # its `hear` is rtmidi's callback; its `fileno` is for select
    for at_ns, data in arrivals.read(): ...

The callback runs in a thread of the MIDI system's: it stamps, puts aside, rings, and does nothing else.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterator, Sequence
from time import perf_counter_ns
from typing import NamedTuple

from realtime_client.messages import LOOPBACK
from realtime_client.midi_bytes import KIND, NOTE_OFF, NOTE_ON

ECHO_NS = 30_000_000
"""An echo is back within this time."""


class Arrival(NamedTuple):
    """The bytes of one MIDI message, as it came."""

    at_ns: int
    data: tuple[int, ...]


class Arrivals:
    """What came and was not yet read; a bell that select can hear."""

    def __init__(self) -> None:
        self._waiting: deque[Arrival] = deque()
        self._bell = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # Windows selects sockets only
        self._bell.bind((LOOPBACK, 0))
        self._bell.connect(self._bell.getsockname())
        self._bell.setblocking(False)

    def fileno(self) -> int:
        return self._bell.fileno()

    def hear(self, event: tuple[Sequence[int], float], _: object = None) -> None:
        """Be rtmidi's callback."""
        self._waiting.append(Arrival(perf_counter_ns(), tuple(event[0])))
        try:
            self._bell.send(b".")
        except OSError:  # it rings already
            return

    def read(self) -> Iterator[Arrival]:
        """Give all that has come, without waiting."""
        try:
            while self._bell.recv(16):
                continue
        except OSError:
            pass
        while self._waiting:
            yield self._waiting.popleft()

    def close(self) -> None:
        self._bell.close()


class EchoGuard:
    """Who plays into a port that comes back as input would answer itself: tells our own notes from the player's."""

    def __init__(self) -> None:
        self._sent: dict[tuple[int, ...], int] = {}
        self._echoing: set[tuple[int, int]] = set()

    def sent(self, at_ns: int, data: tuple[int, ...]) -> None:
        """Remember a note-on of ours."""
        self._sent[data] = at_ns

    def is_echo(self, at_ns: int, data: tuple[int, ...]) -> bool:
        """Tell whether this is our own note-on, or the note-off that belongs to one that was."""
        if len(data) != 3 or data[0] & KIND not in (NOTE_OFF, NOTE_ON):
            return False
        key = (data[0] & 0x0F, data[1])
        if data[0] & KIND == NOTE_ON and data[2]:
            is_echo = 0 <= at_ns - self._sent.get(data, -ECHO_NS) < ECHO_NS
            (self._echoing.add if is_echo else self._echoing.discard)(key)
            return is_echo
        if key in self._echoing:
            self._echoing.remove(key)
            return True
        return False
