"""The process that thinks: hears chords, asks the model, and tells rt what to play.

Run: python -m realtime_client.brain STAGE SETTINGS          (main does)

One loop waits for letters and for what the worker's thread tells; every decision is the Soloist's. What a successor needs
lies in a small file, so that a brain that was killed goes on with the chord that held.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import os
import queue
import select
import socket
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from realtime_client.generation_worker import GenerationWorker, Job, Told
from realtime_client.messages import Hello, Known, Mailbox, Note, Phrase, Plan, Quit, Server, Stage
from realtime_client.punctual import take_priority
from realtime_client.session import jam_home
from realtime_client.settings import JamSettings
from realtime_client.solo import Deed, Silence
from realtime_client.soloist import Soloist
from serving.client import JamflowClient
from serving.contracts.jam import styles

FOR_RT = (Plan, Note, Known, Phrase)
PRIORITY = 5
"""Real-time, below rt's own."""
LOOK_S = 0.25


class Ear:
    """Letters and the worker's words, in one place to wait for."""

    def __init__(self, stage: Stage) -> None:
        self.mailbox = Mailbox(stage.brain, stage.secret)
        self._told: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)
        self._rope.setblocking(False)

    def tell(self, told: Told) -> None:
        """For the worker's thread."""
        self._told.put(told)
        with contextlib.suppress(BlockingIOError):  # it rings already
            self._rope.send(b".")

    def listen(self, until_ns: int) -> Iterator[Any]:
        """Wait until something comes, or that moment has; give all that came."""
        wait_s = max(0.0, (until_ns - perf_counter_ns()) / 1e9) if until_ns else LOOK_S
        select.select([self.mailbox, self._bell], [], [], min(wait_s, LOOK_S))
        with contextlib.suppress(BlockingIOError):
            self._bell.recv(4096)
        yield from self.mailbox.read()
        while not self._told.empty():
            yield self._told.get()

    def close(self) -> None:
        for each in (self.mailbox, self._bell, self._rope):
            each.close()


class Diary:
    """What a brain leaves to the one after it, in the same session."""

    def __init__(self, file: Path, stage: Stage) -> None:
        self._file, self._whose = file, hashlib.sha256(stage.written().encode()).hexdigest()
        self._last = ""

    def read(self) -> str:
        try:
            whose, memory = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError):
            return ""
        return str(memory) if whose == self._whose else ""

    def write(self, memory: str) -> None:
        if memory == self._last:
            return
        self._last, part = memory, self._file.with_suffix(".part")
        with contextlib.suppress(OSError):  # a full disk shall not stop the music
            part.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps([self._whose, memory]), encoding="utf-8")
            os.replace(part, self._file)


def main(argv: list[str]) -> int:
    stage, settings = Stage.read(argv[0]), JamSettings.read(argv[1])
    take_priority(PRIORITY)
    gc.freeze()  # what stays is not looked through again
    ear, diary = Ear(stage), Diary(jam_home() / "brain.json", stage)
    server = partial(JamflowClient, settings.server)
    worker = GenerationWorker(server, ear.tell, styles) if settings.server else None
    soloist = Soloist(settings, perf_counter_ns(), diary.read())
    try:
        ear.mailbox.send(Hello("brain"), stage.rt, stage.ui, stage.main)
        while not ear.mailbox.is_alone:
            for letter in ear.listen(soloist.next_look_ns):
                if isinstance(letter, Quit):
                    return 0
                _do(soloist.hear(letter, perf_counter_ns()), ear.mailbox, stage, worker)
            _do(soloist.look(perf_counter_ns()), ear.mailbox, stage, worker)
            diary.write(soloist.memory)
        return 0
    finally:
        if worker:
            worker.close()
        ear.close()


def _do(deeds: Iterable[Deed], mailbox: Mailbox, stage: Stage, worker: GenerationWorker | None) -> None:
    for deed in deeds:
        if isinstance(deed, Job | Silence):
            if worker:
                worker.ask(deed if isinstance(deed, Job) else None)
        else:
            also = (stage.main,) if isinstance(deed, Server) else ()
            mailbox.send(deed, stage.rt if isinstance(deed, FOR_RT) else stage.ui, *also)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
