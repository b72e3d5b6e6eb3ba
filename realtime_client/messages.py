"""What the live client's processes tell one another: small datagrams on loopback, sent and forgotten.

    mailbox = Mailbox(stage.rt, stage.secret)                   # a Stage says where each process listens
    mailbox.send(Plan(epoch=7, from_ticks=3840), stage.brain)
    for message in mailbox.read(): ...                          # all that has come, without waiting

rt plays, brain thinks, ui shows and records, main keeps them alive. Nobody waits for anybody: a message to a process that
has just died is lost, and whoever comes back asks for what it needs with Hello. Times are `perf_counter_ns`, one clock for
all processes of a machine. Places are ticks, 960 a quarter, counted by rt since it began; they never go back: when the song
jumps, rt leaps ahead to the next place with the same place in its bar. No numpy here: rt is a tiny process.
"""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Iterator
from time import perf_counter_ns
from typing import NamedTuple, cast

LOOPBACK = "127.0.0.1"
TICKS_PER_QUARTER = 960
FOREVER_TICKS = 2**40
"""Whoever knows a solo so far, rests until another plan begins."""
USELESS = 2
"""The exit code of a process that has said in a line why a new start would only fail again."""
LONGEST = 8192  # bytes; macOS refuses more than 9,216
ALONE_S = 10.0
"""Whoever has heard nothing of main for so long ends as well."""
Address = tuple[str, int]


class Heard(NamedTuple):
    """rt: the player did something; the bytes of the MIDI message, as it came."""

    at_ns: int
    data: tuple[int, ...]


class Beat(NamedTuple):
    """rt, at every quarter and whenever it changes: at `at_ns` the music is at `ticks` and goes on at this tempo."""

    at_ns: int
    ticks: int
    tempo_bpm: float
    running: bool
    source: str
    """Who gives the beat: internal, midi, fl or tap."""
    beats_a_bar: int = 4
    bar_ticks: int = 0
    """Where a bar begins: bars begin at this place and every bar's length before and after."""

    @property
    def bar_length(self) -> int:
        return self.beats_a_bar * TICKS_PER_QUARTER

    def place(self, at_ns: int) -> float:
        """The place of a moment, if the music goes on like this."""
        since = (at_ns - self.at_ns) * self.tempo_bpm * TICKS_PER_QUARTER / 60e9
        return self.ticks + (since if self.running else 0.0)


class Played(NamedTuple):
    """rt: a note has left."""

    at_ns: int
    due_ns: int
    pitch: int
    velocity: int
    onset_ticks: int
    duration_ticks: int
    source: str
    """Who thought of it: model, pickup or fallback."""
    epoch: int


class Status(NamedTuple):
    """rt, twenty times a second: how things stand. Counts are since it began."""

    at_ns: int
    ticks: int
    planned_ticks: int
    """How far the solo is known."""
    sounding: int
    waiting: int
    late: int
    dropped: int
    stale: int
    """Notes of an epoch that is over."""
    underruns: int
    falling_back: bool
    input_open: bool
    output_open: bool

    @property
    def rests(self) -> bool:
        """Whether nothing will be played before another plan begins."""
        return self.planned_ticks >= FOREVER_TICKS


class Happened(NamedTuple):
    """Anybody: something worth a line in the report."""

    at_ns: int
    who: str
    what: str
    """One word that is counted: underrun, reconnected, port-lost, port-back, clock-lost, jump, refused, garbage, …"""
    text: str


class Plan(NamedTuple):
    """brain: another solo begins. It takes the place of what older ones had from here on, as far as it becomes known."""

    epoch: int
    from_ticks: int


class Note(NamedTuple):
    """brain: a note of the solo; where `at_once`, it is played when it comes, and its place is the nearest 1/32."""

    epoch: int
    pitch: int
    velocity: int
    onset_ticks: int
    duration_ticks: int
    source: str = "model"
    at_once: bool = False


class Known(NamedTuple):
    """brain: the solo is known up to here, rests included; beyond lies what rt falls back from."""

    epoch: int
    until_ticks: int


class Phrase(NamedTuple):
    """brain: what to play when nothing better comes, over and over from any bar line; (pitch, velocity, onset, duration)."""

    length_ticks: int
    notes: tuple[tuple[int, int, int, int], ...]


class Harmony(NamedTuple):
    """brain: a chord was heard. First a guess at its first note, then settled."""

    at_ns: int
    first_note_ns: int
    ticks: int
    symbol: str
    settled: bool
    epoch: int


class Asked(NamedTuple):
    """brain: what became of one request to the server. Times 0 where it never came to that."""

    epoch: int
    trigger_ns: int
    """The first note-on of the chord that asked for it; 0 where the solo only goes on."""
    sent_ns: int
    first_note_ns: int
    done_ns: int
    start_ticks: int
    horizon_ticks: int
    notes: int
    outcome: str
    """whole, superseded, late, unavailable, refused or garbage."""


class Server(NamedTuple):
    """brain: how it stands with the server."""

    state: str
    """connecting, canary, ready, lost, or none where no server is asked."""
    text: str
    styles: tuple[str, ...] = ()
    round_trip_ms: float = 0.0


class Control(NamedTuple):
    """ui: the musician turned something. Each process takes what is its own."""

    name: str
    """For brain: style, temperature, top_p, chord_bias, lookahead_bars, seed. For rt: tempo, clock, tap, offset_ms, and for FL
    Studio fl (start, stop, record) and hint (a line for its hint bar). For ui: record. For all: start, stop, panic."""
    value: str | float = ""


class Hello(NamedTuple):
    """Anybody who has just begun: tell me how things stand. And main, every second: I live."""

    who: str


class Quit(NamedTuple):
    """main: end, and leave nothing sounding."""


Message = (
    Heard
    | Beat
    | Played
    | Status
    | Happened
    | Plan
    | Note
    | Known
    | Phrase
    | Harmony
    | Asked
    | Server
    | Control
    | Hello
    | Quit
)
KINDS: dict[str, type] = {kind.__name__: kind for kind in Message.__args__}  # type: ignore[attr-defined]


class Stage(NamedTuple):
    """Where each process of a session listens, and the word that all its letters begin with."""

    main: Address
    rt: Address
    brain: Address
    ui: Address
    secret: str

    @classmethod
    def anywhere(cls) -> Stage:
        """Choose free ports on loopback."""
        held = [_bound((LOOPBACK, 0)) for _ in range(4)]
        addresses = [line.getsockname() for line in held]
        for line in held:
            line.close()
        return cls(*addresses, secret=secrets.token_hex(8))

    def written(self) -> str:
        """For a child's command line."""
        return json.dumps(self)

    @classmethod
    def read(cls, text: str) -> Stage:
        *addresses, secret = json.loads(text)
        main, rt, brain, ui = ((host, port) for host, port in addresses)
        return cls(main, rt, brain, ui, secret)


class Mailbox:
    """A process's own letter box; `fileno` is for select."""

    def __init__(self, address: Address, secret: str) -> None:
        self._secret = secret.encode()
        self._line = _bound(address)
        self._main_lived_ns = 0

    @property
    def is_alone(self) -> bool:
        """Whether there was a main, and it is gone."""
        return 0 < self._main_lived_ns < perf_counter_ns() - ALONE_S * 1e9

    def fileno(self) -> int:
        return self._line.fileno()

    def close(self) -> None:
        self._line.close()

    def send(self, message: Message, *to: Address) -> None:
        """Send a letter to one or several; whoever is not there does not get it."""
        letter = self._secret + encode(message)
        for address in to:
            try:
                self._line.sendto(letter, address)
            except OSError:  # nobody there, or its box is full: never wait
                continue

    def read(self) -> Iterator[Message]:
        """Give every letter that has come; what is not ours or makes no sense is passed over."""
        while True:
            try:
                letter = self._line.recv(LONGEST)
            except BlockingIOError:
                return
            except ConnectionError:  # Windows: an earlier letter found nobody
                continue
            message = decode(letter[len(self._secret) :]) if letter.startswith(self._secret) else None
            if message is not None:  # Quit is an empty tuple
                if isinstance(message, Hello) and message.who == "main":
                    self._main_lived_ns = perf_counter_ns()
                yield message


def encode(message: Message) -> bytes:
    return json.dumps([type(message).__name__, *message], separators=(",", ":")).encode()


def decode(letter: bytes) -> Message | None:
    """Read a letter; None where it makes no sense."""
    try:
        kind, *fields = json.loads(letter)
        return cast(Message, KINDS[kind](*(_tuples(field) for field in fields)))
    except (ValueError, KeyError, TypeError):
        return None


def _tuples(field: object) -> object:
    return tuple(map(_tuples, field)) if isinstance(field, list) else field


def _bound(address: Address) -> socket.socket:
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.bind(address)
    line.setblocking(False)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    return line
