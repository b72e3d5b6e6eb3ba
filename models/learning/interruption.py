"""Ctrl-C and a plain kill: the first lets the step end and its state be saved, the second ends at once.

with Interruption() as interruption:
    while not interruption.asked: ...
    interruption.go()                   # raise what the signal would have raised
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any

HEARD = (signal.SIGINT, signal.SIGTERM)
NOTICE = b"stopping after this step, with its state saved; once more stops at once\n"


class Interruption:
    """Hears both signals while the block runs, in the main thread alone; Python lets no other."""

    def __init__(self) -> None:
        self.asked: int = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._hear) for number in HEARD}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def go(self) -> None:
        """End the program the way the signal would have."""
        raise SystemExit(128 + signal.SIGTERM) if self.asked == signal.SIGTERM else KeyboardInterrupt

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            self.go()
        self.asked = number
        os.write(2, NOTICE)  # a log or a print may be what the signal broke into
