"""Show and record the session: everything comes here, and nobody waits for it.

Run: python -m realtime_client.ui STAGE SETTINGS      (main does)
"""

from __future__ import annotations

import contextlib
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.music.errors import JamflowError
from realtime_client.desk import Desk
from realtime_client.messages import USELESS, Control, Happened, Hello, Mailbox, Message, Quit, Stage
from realtime_client.page import Page, address_of, token_of
from realtime_client.session import sessions
from realtime_client.settings import JamSettings
from realtime_client.terminal import Terminal

PICTURE_S, FRAME_S = 0.1, 0.125


class Stand:
    """Where the letters go: desk, recorder, page and terminal."""

    def __init__(self, stage: Stage, settings: JamSettings) -> None:
        self._stage, self._settings = stage, settings
        self._desk = Desk(settings)
        self._recorder: Any = None
        self._hinted = ""

    def run(self) -> None:
        """Until Quit comes, or main is gone, who would send it."""
        with contextlib.ExitStack() as leaving:
            self._open(leaving)
            self._mailbox.send(Hello("ui"), self._stage.rt, self._stage.brain)
            self._mailbox.send(self._word("page", self._desk.page), self._stage.main)
            next_picture = next_frame = 0.0
            while not self._desk.ended and not self._mailbox.is_alone:
                select.select([self._mailbox], [], [], max(0.0, min(next_picture, next_frame) - time.monotonic()))
                for message in self._mailbox.read():
                    self._take(message)
                if (now := time.monotonic()) >= next_picture:
                    next_picture = now + PICTURE_S
                    self._page.show(self._desk.picture(time.perf_counter_ns()))
                    self._hint()
                if now >= next_frame:
                    next_frame = now + FRAME_S
                    if self._terminal:
                        self._terminal.draw(self._desk, time.perf_counter_ns())
            self._desk.take(Quit())
            self._page.show(self._desk.picture(time.perf_counter_ns()))

    def _open(self, leaving: contextlib.ExitStack) -> None:
        self._mailbox = leaving.enter_context(contextlib.closing(Mailbox(self._stage.ui, self._stage.secret)))
        address, token = address_of(self._stage, self._settings), token_of(self._stage)
        self._page = leaving.enter_context(Page(address, token, self._turned, self._desk.tape))
        self._desk.page = self._page.url
        self._terminal = leaving.enter_context(Terminal()) if self._settings.terminal else None
        leaving.callback(self._end_recording)
        if self._settings.record:
            self._begin_recording()

    def _turned(self, control: Control) -> None:
        """The page turned something, on a thread of its own: each process takes what is its own, this one too."""
        self._mailbox.send(control, self._stage.rt, self._stage.brain, self._stage.ui)

    def _hint(self) -> None:
        """Say the chord in FL Studio's hint bar, when it is another."""
        if (line := self._desk.hint()) != self._hinted:
            self._hinted = line
            if self._desk.settings.clock == "fl":
                self._mailbox.send(Control("hint", line), self._stage.rt)

    def _take(self, message: Message) -> None:
        if isinstance(message, Control) and message.name == "record":
            self._switch_recording(message.value == "on")
        if self._recorder:
            with self._if_it_can_be_written():
                self._recorder.take(message)
        self._desk.take(message)

    def _switch_recording(self, on: bool) -> None:
        if not on:
            self._end_recording()
        elif self._recorder is None:
            self._begin_recording()
            self._mailbox.send(Hello("ui"), self._stage.rt, self._stage.brain)  # it begins with how things stand

    def _begin_recording(self) -> None:
        from realtime_client.recorder import Recorder

        with self._if_it_can_be_written():
            self._recorder = Recorder(Path(self._settings.record or sessions()))

    def _end_recording(self) -> None:
        ended, self._recorder = self._recorder, None
        if ended:
            with self._if_it_can_be_written():
                ended.close()

    @contextlib.contextmanager
    def _if_it_can_be_written(self) -> Iterator[None]:
        """A full disk ends a recording, not the session."""
        try:
            yield
        except (OSError, JamflowError) as error:
            self._recorder = None
            word = self._word("recording-lost", f"recording ended: {error}")
            self._mailbox.send(Control("record", "off"), self._stage.ui)
            self._mailbox.send(word, self._stage.ui, self._stage.main)

    def _word(self, what: str, text: str) -> Happened:
        return Happened(time.perf_counter_ns(), "ui", what, text)


def main(argv: list[str]) -> int:
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] - any name can be said on any terminal
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for main, who says Quit
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # and leaves the terminal as it was
    try:
        Stand(Stage.read(argv[0]), JamSettings.read(argv[1])).run()
    except JamflowError as error:
        print(f"jamflow: {error}", file=sys.stderr)
        return USELESS
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
