"""MIDI ports: found by a part of their names, opened, watched, and taken up again when they come back.

    with contextlib.closing(open_output("loopMIDI")) as port:   # "" makes a virtual one
        port.send((0x90, 60, 100))
        port.look()                                             # now and then: is it gone, is it back? see is_open
    names = list_ports()                                        # names.inputs, names.outputs

`inside:NAME` is a port of our own for machines without MIDI (inside.py).
"""

# pyright: reportAttributeAccessIssue=false
# rtmidi's names come out of a C extension, which pyright does not read.

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import rtmidi

from models.music.errors import BadConfig
from realtime_client.hush import hushed
from realtime_client.inside import INSIDE, InsideInput, InsideOutput
from realtime_client.midi_input import Arrival, Arrivals

CLIENT = "Jamflow"
OUR_INPUT, OUR_OUTPUT = "Jamflow in", "Jamflow out"
"""What our virtual ports are called."""


class Names(NamedTuple):
    """The ports that the MIDI system has."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class Port(Protocol):
    """What an input and an output have in common."""

    name: str
    is_open: bool

    def look(self) -> None: ...
    def close(self) -> None: ...


class Input(Port, Protocol):
    def fileno(self) -> int: ...
    def read(self) -> Iterator[Arrival]: ...


class Output(Port, Protocol):
    def send(self, data: tuple[int, ...]) -> None: ...


def list_ports() -> Names:
    """Ask the MIDI system; nothing where there is none."""
    try:
        with hushed():
            return Names(_names(rtmidi.MidiIn), _names(rtmidi.MidiOut))
    except BadConfig:
        return Names((), ())


def open_input(name: str, wait: bool = False) -> Input:
    """Open what is heard; where it is not there, with `wait`, take it up when it comes."""
    return InsideInput(name) if name.startswith(INSIDE) else MidiInput(name, OUR_INPUT, wait)


def open_output(name: str, wait: bool = False) -> Output:
    """Open what is played into."""
    return InsideOutput(name) if name.startswith(INSIDE) else MidiOutput(name, OUR_OUTPUT, wait)


class _MidiPort:
    """A virtual port of ours, or a cable to one of the MIDI system's."""

    kind: Any
    word: str

    def __init__(self, wanted: str, ours: str, wait: bool) -> None:
        self.name = wanted or ours
        self.is_open = False
        self._wanted = wanted
        self._midi: Any = None
        self._other = ""
        """The full name of the port at the other end."""
        try:
            self._try()
        except (BadConfig, rtmidi.RtMidiError) as error:
            if not wait:
                self.close()
                raise BadConfig(str(error)) from error

    def look(self) -> None:
        """Notice that the other end is gone, or back."""
        try:
            if self.is_open and self._wanted and self._other not in self._midi.get_ports():
                self.is_open = False
                self._end()
                self._midi.close_port()
            if not self.is_open:
                self._try()
        except BadConfig:  # not there yet
            return
        except rtmidi.RtMidiError:
            self._leave()

    def close(self) -> None:
        self._leave()

    def _leave(self) -> None:
        """Leave the MIDI system. JACK stands still for seconds when a client is not deleted, and must not do it often."""
        self.is_open = False
        if self._midi is not None:
            self._end()
            self._midi.delete()
            self._midi = None

    def _try(self) -> None:
        self._midi = self._midi or _client(self.kind)
        names = self._midi.get_ports()
        if self._wanted:
            place = next((n for n, name in enumerate(names) if self._wanted.lower() in name.lower()), None)
            if place is None:
                raise BadConfig(
                    f"{self.word} port {self._wanted!r} is not there. {_there_are(names)} Give a part of a name, or inside:NAME."
                )
            self._other = names[place]
            self._midi.open_port(place, name=f"to {self.word}")
        elif sys.platform == "win32":
            raise BadConfig(
                f"{self.word} port: Windows has no virtual ones. Make one with loopMIDI and give its name. {_there_are(names)}"
            )
        else:
            self._midi.open_virtual_port(self.name)
        self.is_open = True
        self._begin()

    def _begin(self) -> None:
        """Do what is to be done once the port is open."""

    def _end(self) -> None:
        """Do what is to be done before it closes."""


class MidiInput(_MidiPort):
    kind, word = rtmidi.MidiIn, "input"

    def __init__(self, wanted: str, ours: str, wait: bool) -> None:
        self._arrivals = Arrivals()
        super().__init__(wanted, ours, wait)

    def fileno(self) -> int:
        return self._arrivals.fileno()

    def read(self) -> Iterator[Arrival]:
        return self._arrivals.read()

    def close(self) -> None:
        super().close()
        self._arrivals.close()

    def _begin(self) -> None:
        self._midi.ignore_types(sysex=False, timing=False, active_sense=True)
        self._midi.set_callback(self._arrivals.hear)

    def _end(self) -> None:
        # Who closes a port holds the interpreter until JACK has answered; JACK waits for a callback that waits for that.
        self._midi.cancel_callback()


class MidiOutput(_MidiPort):
    kind, word = rtmidi.MidiOut, "output"

    def send(self, data: tuple[int, ...]) -> None:
        """Send one message; it is lost while the port is gone."""
        if self.is_open:
            with contextlib.suppress(rtmidi.RtMidiError):
                self._midi.send_message(data)


def _client(kind: Any) -> Any:
    """Join the first MIDI system that answers."""
    systems = [api for api in rtmidi.get_compiled_api() if api != rtmidi.API_RTMIDI_DUMMY]
    if not os.path.exists("/dev/snd/seq"):
        systems = [api for api in systems if api != rtmidi.API_LINUX_ALSA]
    for api in systems:
        with contextlib.suppress(rtmidi.RtMidiError):
            return kind(api, name=CLIENT)
    raise BadConfig(
        "MIDI: no MIDI system answers on this machine. On Linux: start jackd, or modprobe snd-seq; or use inside:NAME."
    )


def _names(kind: Any) -> tuple[str, ...]:
    client = _client(kind)
    try:
        return tuple(client.get_ports())
    finally:
        client.delete()


def _there_are(names: list[str]) -> str:
    return f"There are: {', '.join(names)}." if names else "There is none at all."
