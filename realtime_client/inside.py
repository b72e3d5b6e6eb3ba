"""Ports of our own, for machines without a MIDI system: one MIDI message a datagram, on loopback.

    heard = InsideInput("inside:keys")      # whoever hears holds the name
    InsideOutput("inside:keys").send((0x90, 60, 100))

The address follows from the name, so nothing has to be looked up. What is unplugged is noticed as on a real port.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from time import perf_counter_ns
from zlib import crc32

from models.music.errors import BadConfig
from realtime_client.messages import LOOPBACK
from realtime_client.midi_input import Arrival

INSIDE = "inside:"
ADDRESSES = range(20_000, 32_000)
"""Below those that systems give away by themselves."""
LONGEST = 1024  # bytes; FL Studio's SysEx is no longer
STATUS = 0x80
"""Every MIDI message begins with a byte from here on."""


def address(name: str) -> tuple[str, int]:
    return LOOPBACK, ADDRESSES[crc32(name.encode()) % len(ADDRESSES)]


class InsideInput:
    def __init__(self, name: str) -> None:
        self.name = name
        self.is_open = True
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._line.setblocking(False)
        try:
            self._line.bind(address(name))
        except OSError as error:
            self._line.close()
            raise BadConfig(
                f"input port {name}: somebody holds it ({error.strerror}). Stop them, or choose another name."
            ) from error

    def fileno(self) -> int:
        return self._line.fileno()

    def read(self) -> Iterator[Arrival]:
        """Give all that has come, without waiting."""
        with contextlib.suppress(BlockingIOError):
            while True:
                data = self._line.recv(LONGEST)
                if data and data[0] >= STATUS:
                    yield Arrival(perf_counter_ns(), tuple(data))

    def look(self) -> None:
        """Nothing to look for: who holds the name keeps it."""

    def close(self) -> None:
        self.is_open = False
        self._line.close()


class InsideOutput:
    def __init__(self, name: str) -> None:
        self.name = name
        self.is_open = True
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._line.setblocking(False)
        self._line.connect(address(name))

    def send(self, data: tuple[int, ...]) -> None:
        """Send one message; it is lost where nobody hears."""
        with contextlib.suppress(OSError):
            self._line.send(bytes(data))

    def look(self) -> None:
        """Knock: where nobody holds the name, the system says so at once."""
        with contextlib.suppress(OSError):
            self._line.send(b"")
        self.is_open = not self._line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def close(self) -> None:
        self.is_open = False
        self._line.close()
