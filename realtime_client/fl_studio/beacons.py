"""What FL Studio and Jamflow tell each other: SysEx of the manufacturer 0x7D (nobody's), at most 1,000 bytes, seven bits each.

    read_beacon(data)                   # Beacon(tempo_bpm=140.0, playing=True, ...), or None where it is something else
    port.send(hint("Am7 | 1.6 bars"))   # shown in FL's hint bar
    port.send(command("start"))         # FL's transport: start, stop, record; or "beacon", to be told where it is

Every letter is F0 7D 4A 46 (J F), a version, a kind, its body, F7. Numbers are big-endian groups of seven bits.
device_Jamflow.py writes and reads the same inside FL Studio, where it cannot import this.
"""

from __future__ import annotations

from typing import NamedTuple

HEAD = bytes((0xF0, 0x7D, 0x4A, 0x46, 1))
END = 0xF7
LONGEST = 1000  # bytes; FL Studio drops longer ones
BEACON, HINT, COMMAND = b"B", b"H", b"C"
COMMANDS = ("stop", "start", "record", "beacon")
PLAYING, RECORDING = 1, 2
# Groups of seven bits: flags, thousandths of a BPM, ticks, bar, beat, beats a bar.
WIDTHS = (1, 3, 5, 3, 1, 1)


class Beacon(NamedTuple):
    """Where FL Studio is."""

    tempo_bpm: float
    playing: bool
    recording: bool
    song_ticks: int
    """From the song's beginning, 960 a quarter."""
    bar: int
    """From 1 on, as FL shows it; beats too."""
    beat: int
    beats_a_bar: int

    def written(self) -> bytes:
        """The letter that FL Studio sends."""
        flags = PLAYING * self.playing | RECORDING * self.recording
        numbers = (flags, round(self.tempo_bpm * 1000), self.song_ticks, self.bar, self.beat, self.beats_a_bar)
        return _letter(BEACON, b"".join(map(_sevens, numbers, WIDTHS)))


def read_beacon(data: bytes) -> Beacon | None:
    """Read a beacon; None where it is none, or makes no sense."""
    data = bytes(data)
    start = HEAD + BEACON
    if not data.startswith(start) or len(data) != len(start) + sum(WIDTHS) + 1 or data[-1] != END:
        return None
    body = data[len(start) : -1]
    if max(body) > 0x7F:
        return None
    numbers, place = [], 0
    for width in WIDTHS:
        numbers.append(_number(body[place : place + width]))
        place += width
    flags, milli_bpm, song_ticks, bar, beat, beats_a_bar = numbers
    if not (10_000 <= milli_bpm <= 1_000_000 and bar >= 1 and 1 <= beat <= beats_a_bar):
        return None
    return Beacon(milli_bpm / 1000, bool(flags & PLAYING), bool(flags & RECORDING), song_ticks, bar, beat, beats_a_bar)


def hint(text: str) -> bytes:
    """Ask FL Studio to show a line in its hint bar; what is not ASCII becomes a question mark."""
    shown = "".join(letter if " " <= letter <= "~" else "?" for letter in text)
    return _letter(HINT, shown.encode("ascii")[: LONGEST - len(HEAD) - 2])


def command(name: str) -> bytes:
    """Ask FL Studio to do something: one of COMMANDS."""
    return _letter(COMMAND, bytes((COMMANDS.index(name),)))


def _letter(kind: bytes, body: bytes) -> bytes:
    return HEAD + kind + body + bytes((END,))


def _sevens(number: int, width: int) -> bytes:
    number = min(max(number, 0), (1 << 7 * width) - 1)
    return bytes(number >> 7 * place & 0x7F for place in reversed(range(width)))


def _number(sevens: bytes) -> int:
    number = 0
    for seven in sevens:
        number = number << 7 | seven
    return number
