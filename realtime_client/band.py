"""A live session's processes, kept alive: rt plays, brain thinks, ui shows and records.

    with Band(settings) as band:
        while not stopped: band.tend()

Whoever dies begins again at once; an rt that says nothing for two seconds hangs in the MIDI system, which waits for ever
when its server is gone, and is ended first. A member that ends with exit code 2 has said in a line why no new start will
help: then the session ends with that line. When it is over, nothing sounds.
"""

from __future__ import annotations

import contextlib
import select
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO

from models.music.errors import JamflowError
from realtime_client.messages import USELESS, Happened, Hello, Mailbox, Message, Quit, Server, Stage, Status
from realtime_client.settings import JamSettings

NAMES = ("rt", "brain", "ui")
SILENT_S, HELLO_S, READY_S, SERVER_S, QUIT_S = 2.0, 1.0, 20.0, 5.0, 3.0
RESTARTS, WITHIN_S = 6, 30.0


@dataclass
class Member:
    """One process and what it has said on its error stream."""

    process: subprocess.Popen
    words: IO[str]
    began: deque[float] = field(default_factory=deque)

    def last_words(self) -> str:
        self.words.seek(0)
        lines = self.words.read().strip().splitlines()
        return lines[-1].removeprefix("jamflow: ") if lines else ""


class Band:
    """Use it as a context: it plays from the first line to the last."""

    def __init__(self, settings: JamSettings, stage: Stage | None = None, names: Sequence[str] = NAMES) -> None:
        self.settings, self.names = settings, names
        self.stage = stage or Stage.anywhere()
        self.members: dict[str, Member] = {}
        self.restarts: dict[str, int] = dict.fromkeys(NAMES, 0)
        self.status: Status | None = None
        self.server = Server("connecting" if settings.server else "none", settings.server)
        self._heard = self._greeted = 0.0
        self._leaving = contextlib.ExitStack()

    def __enter__(self) -> Band:
        self._mailbox = Mailbox(self.stage.main, self.stage.secret)
        self._leaving.callback(self._mailbox.close)
        try:
            for name in self.names:
                self._start(name)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait_until_it_plays(self) -> None:
        """Wait for the first word of rt, or say why it does not come; then for a server, if there is one, but not long."""
        end = time.monotonic() + READY_S
        while self.status is None:
            self.tend()
            if time.monotonic() > end:
                raise JamflowError(
                    f"jam: the MIDI process said nothing within {READY_S:g} s. `jamflow jam doctor` looks."
                )
        end = time.monotonic() + SERVER_S
        while "brain" in self.members and self.server.state in ("connecting", "canary") and time.monotonic() < end:
            self.tend()

    def tend(self, wait_s: float = 0.1) -> list[Message]:
        """Wait a little for letters, start again who has ended, and give what came."""
        select.select([self._mailbox], [], [], wait_s)
        letters = list(self._mailbox.read())
        now = time.monotonic()
        for letter in letters:
            if isinstance(letter, Status):
                self.status, self._heard = letter, now
            elif isinstance(letter, Server):
                self.server = letter
        if now - self._greeted > HELLO_S:
            self._greeted = now
            self.send(Hello("main"))
        rt = self.members["rt"].process
        if self._heard and now - self._heard > SILENT_S and rt.poll() is None:
            self._tell("silent", f"rt said nothing for {SILENT_S:g} s and was ended")
            rt.kill()
            rt.wait()
        for name, member in self.members.items():
            if member.process.poll() is not None:
                self._start_again(name, member)
        return letters

    def send(self, message: Message) -> None:
        """Tell everybody."""
        self._mailbox.send(message, self.stage.rt, self.stage.brain, self.stage.ui)

    def close(self) -> None:
        """Let everybody end by themselves, and end who does not."""
        with self._leaving:
            self.send(Quit())
            end = time.monotonic() + QUIT_S
            for member in self.members.values():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    member.process.wait(max(0.0, end - time.monotonic()))
                member.process.kill()
                member.process.wait()
                member.words.close()
            self.members.clear()

    def _start(self, name: str) -> None:
        words = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 (it lives as long as the member)
        command = [sys.executable, "-m", f"realtime_client.{name}", self.stage.written(), self.settings.written()]
        command += ["again"] * (name in self.members)
        hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0) if name != "ui" else 0
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=words, creationflags=hidden)
        before = self.members[name].began if name in self.members else deque(maxlen=RESTARTS)
        self.members[name] = Member(process, words, before)
        self.members[name].began.append(time.monotonic())
        self._heard = time.monotonic() + SILENT_S if name == "rt" else self._heard  # it needs a moment to begin

    def _start_again(self, name: str, member: Member) -> None:
        code, why = member.process.returncode, member.last_words()
        if code == USELESS:
            raise JamflowError(why or f"jam: {name} ended with code {code} and no word.")
        if len(member.began) == RESTARTS and time.monotonic() - member.began[0] < WITHIN_S:
            raise JamflowError(
                f"jam: {name} ended {RESTARTS} times within {WITHIN_S:g} s; last with code {code}. {why}"
            )
        member.words.close()
        self._start(name)
        self.restarts[name] += 1
        self._tell("restarted", f"{name} ended with code {code} and was started again. {why}".strip())

    def _tell(self, what: str, text: str) -> None:
        self._mailbox.send(Happened(time.perf_counter_ns(), "main", what, text), self.stage.ui)
