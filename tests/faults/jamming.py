"""A live session to break: its three processes, a keyboard at one end and an ear at the other.

with jamming(tmp_path, server=url) as jam:
    jam.play_on(4.0)                    # chords without pause, for so many seconds
    jam.band, jam.heard, jam.letters()  # its processes; what arrived; what was said so far
jam.stuck()                             # after it has ended: notes that nobody let go
"""

from __future__ import annotations

import contextlib
import select
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from realtime_client.band import Band
from realtime_client.messages import Control, Happened, Message, Played
from realtime_client.midi_input import Arrival
from realtime_client.player import performance
from realtime_client.ports import open_input, open_output
from realtime_client.recorder import letters_of, newest_session
from realtime_client.settings import JamSettings

TEMPO_BPM = 200.0
BAR_S = 4 * 60 / TEMPO_BPM
BEGINS_S = 30.0


class Jam:
    """One session, from its first line to its last."""

    def __init__(self, folder: Path, band: Band, keyboard: str, ear: str) -> None:
        self.band, self.folder, self.ear_name = band, folder, ear
        self.heard: list[Arrival] = []
        self._keyboard = open_output(keyboard)
        self._ear = open_input(ear)
        self._over = threading.Event()
        self._chords = iter(performance(7, 600, TEMPO_BPM).events)
        self._began = time.perf_counter()
        self._threads = [threading.Thread(target=work) for work in (self._listen, self._play, self._tend)]
        for thread in self._threads:
            thread.start()

    def play_on(self, seconds: float) -> None:
        """Let the music go on."""
        time.sleep(seconds)

    def until(self, what: Callable[[], bool], seconds: float) -> bool:
        """Let it go on until something is so; whether it ever was."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not what():
            time.sleep(0.1)
        return what()

    def turn(self, name: str, value: str | float = "") -> None:
        self.band.send(Control(name, value))

    def letters(self) -> list[Message]:
        return list(letters_of(newest_session(self.folder)))

    def played(self, source: str, since_ns: int = 0) -> list[Played]:
        """Notes of a source that left after a moment, as far as they are written down."""
        return [
            each
            for each in self.letters()
            if isinstance(each, Played) and each.source == source and each.at_ns > since_ns
        ]

    def plays(self, source: str, since_ns: int, notes: int = 3) -> Callable[[], bool]:
        return lambda: len(self.played(source, since_ns)) >= notes

    def counted(self) -> Counter[str]:
        return Counter(each.what for each in self.letters() if isinstance(each, Happened))

    def longest_silence_s(self, since_ns: int) -> float:
        """The longest time from one note-on to the next at the far end, until now."""
        times = [since_ns, *(at for at, data in self.heard if data[0] & 0xF0 == 0x90 and data[2] and at > since_ns)]
        times.append(time.perf_counter_ns())
        return max(later - earlier for earlier, later in pairwise(times)) / 1e9

    def stuck(self) -> set[int]:
        """Notes that began at the far end and never ended."""
        down: set[int] = set()
        for _, (kind, *rest) in self.heard:
            if kind & 0xF0 == 0x90 and rest[1]:
                down.add(rest[0])
            elif kind & 0xF0 in (0x80, 0x90):
                down.discard(rest[0])
        return down

    def unplug(self) -> None:
        """Pull the cable at the far end; nobody listens there until `plug`."""
        self._ear.close()

    def plug(self) -> None:
        self._ear = open_input(self.ear_name)

    def close(self) -> None:
        """End the session, and hear what it says at its end."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        self.band.close()
        time.sleep(0.1)
        self.heard += self._ear.read()
        self._keyboard.close()
        self._ear.close()

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                select.select([self._ear], [], [], 0.05)
                self.heard += self._ear.read()
            except (OSError, ValueError):  # unplugged
                time.sleep(0.02)

    def _tend(self) -> None:
        while not self._over.is_set():
            self.band.tend(0.05)

    def _play(self) -> None:
        for at_s, data in self._chords:
            if self._over.wait(max(0.0, self._began + at_s - time.perf_counter())):
                return
            self._keyboard.send(data)


@contextlib.contextmanager
def jamming(folder: Path, server: str = "", **wishes) -> Iterator[Jam]:
    """Begin a session and wait until its solo is heard."""
    name = f"inside:{uuid.uuid4().hex}"
    settings = JamSettings(
        server, f"{name} in", f"{name} out", tempo_bpm=TEMPO_BPM, record=str(folder), terminal=False, **wishes
    )
    with contextlib.ExitStack() as leaving:
        band = leaving.enter_context(Band(settings))
        band.wait_until_it_plays()
        jam = Jam(folder, band, settings.input_port, settings.output_port)
        leaving.callback(jam.close)
        wanted = "model" if server else "fallback"
        assert jam.until(lambda: bool(list(folder.glob("session_*.jsonl"))) and jam.plays(wanted, 0)(), BEGINS_S), (
            jam.counted()
        )
        yield jam
