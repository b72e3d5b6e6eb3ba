"""Every letter of a session, one JSON line each, and at its end a MIDI file of two tracks.

    recorder = Recorder(folder)            # session_1.jsonl, the next free number
    recorder.take(message)
    recorder.close()                       # session_1.mid
    for message in letters_of(folder / "session_1.jsonl"): ...

Lines are on disk half a second after they came, so that whatever ends a session loses little of it; `write_midi` makes the
MIDI file of a session that was cut off.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from models.music.errors import BadInput
from models.music.files import numbered, whole_file
from realtime_client.desk import Desk
from realtime_client.messages import Message, decode, encode
from realtime_client.settings import JamSettings
from realtime_client.take import two_tracks

NAME, HEARD = "session_{}.jsonl", ".heard.jsonl"
"""A session's letters; what a probe heard of it has this suffix instead."""
FLUSH_S = 0.5
EVERY = 1 << 30
"""More bars than any session has."""


class Recorder:
    """Writes a session down."""

    def __init__(self, folder: Path) -> None:
        with numbered(folder) as number:
            self.file = folder / NAME.format(number)
            self._lines = open(self.file, "x", encoding="utf-8")  # noqa: SIM115 (open as long as the session)
        self._flushed = time.monotonic()

    def take(self, message: Message) -> None:
        """Write a letter."""
        self._lines.write(encode(message).decode() + "\n")
        if (now := time.monotonic()) - self._flushed > FLUSH_S:
            self._flushed = now
            self._lines.flush()

    def close(self) -> None:
        """Make the MIDI file, if anything was played."""
        self._lines.close()
        write_midi(self.file)


def letters_of(file: Path) -> Iterator[Message]:
    """Read a session; a last line that was cut off is left out."""
    with open(file, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if (message := decode(line.encode())) is not None:
                yield message


def write_midi(file: Path) -> Path | None:
    """Write what musician and soloist played beside a session's letters; None where nobody played."""
    tape = tape_of(letters_of(file))
    if not tape["solo"] and not tape["player"]:
        return None
    target = file.with_suffix(".mid")
    with whole_file(target) as part:
        two_tracks(tape, bars=EVERY).save(part)
    return target


def tape_of(letters: Iterable[Message]) -> dict:
    """All that was played in a session."""
    desk = Desk(JamSettings(), kept=None)
    for letter in letters:
        desk.take(letter)
    return desk.tape()


def newest_session(folder: Path) -> Path:
    """The session that was recorded last into a folder."""
    found = sorted(folder.glob(NAME.format("*[0-9]")), key=lambda file: file.stat().st_mtime)
    if not found:
        raise BadInput(f"{folder}: no recorded session. `jamflow jam play --record {folder}` makes one.")
    return found[-1]
