"""Sessions: each keeps its place between requests, and plays them one after the other.

A session begins with a request that stays open as long as it lasts. When its listener is gone, that line is cut, and the
session ends within a second; so does one that asks for nothing for too long, or the longest idle where memory runs short.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from models.music.errors import Busy, Refused
from serving.backends.crew import Crew, Line
from serving.backends.player import Cancelled, PlayerSession, Playing, SessionPlayer
from serving.backends.streams import InParts
from serving.calls import ENDED, FULL
from serving.contract import Arrays, ModelContract

START, END = 1, 2
"""The flags by which Triton tells that a session begins or ends."""
STOP = "stop"
"""The parameter that silences a session: a request's number, or nothing for all of them."""


class Seat:
    """One listener's session, and what it has still to play."""

    def __init__(self, crew: Crew, player: SessionPlayer, line: Line) -> None:
        self.line = line
        self._crew, self._player = crew, player
        self._session: PlayerSession | None = None
        self._jobs: deque[Callable[[], None]] = deque()
        self._asked: dict[str, Line] = {}
        self._lock = threading.Lock()
        self._used_at = time.monotonic()

    @property
    def idle_s(self) -> float:
        """How long nothing has been asked or played."""
        with self._lock:
            return 0.0 if self._jobs else time.monotonic() - self._used_at

    @property
    def nbytes(self) -> int:
        return 0 if self._session is None else self._session.nbytes

    def ask(self, line: Line, arrays: Arrays) -> None:
        """Play a request after those before it."""
        with self._lock:
            self._asked[line.number] = line
        self._then(partial(self._play, line, arrays))

    def stop(self, number: str) -> None:
        """Silence one request, or all."""
        with self._lock:
            lines = [line for each, line in self._asked.items() if number in ("", each)]
        for line in lines:
            line.stop()

    def leave(self, *ended: Line, why: Exception | None = None) -> None:
        """Silence everything and end; then tell so on these lines, after the session's own."""
        self.stop("")
        self._then(partial(self._close, (self.line, *ended), why))

    def _play(self, line: Line, arrays: Arrays) -> None:
        self._crew.play(line, partial(self._parts, arrays, line.stopped))
        with self._lock:
            del self._asked[line.number]

    def _parts(self, arrays: Arrays, cancelled: Cancelled) -> Playing:
        if self._session is None:
            self._session = self._player.open()
        return self._session.parts(arrays, cancelled)

    def _close(self, lines: tuple[Line, ...], why: Exception | None) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
        for line in lines:
            line.end(why)

    def _then(self, job: Callable[[], None]) -> None:
        with self._lock:
            self._jobs.append(job)
            alone = len(self._jobs) == 1
        if alone:
            self._crew.soon(self._next)

    def _next(self) -> None:
        try:
            self._jobs[0]()
        finally:
            with self._lock:
                self._jobs.popleft()
                self._used_at = time.monotonic()
                more = bool(self._jobs)
            if more:
                self._crew.soon(self._next)


class Sessions(InParts):
    """Triton's requests over a player of sessions."""

    def __init__(self, contract: ModelContract, player: SessionPlayer, name: str, version: str) -> None:
        self._player = player
        self._seats: dict[int, Seat] = {}
        self._lock = threading.Lock()
        super().__init__(contract, name, version, self._look_around)

    def _take(self, request: Any, line: Line) -> None:
        who, flags = request.correlation_id(), request.flags()
        if flags & START:
            self._seat(who, line)
            return
        seat = self._seats.get(who)
        if seat is None:
            raise Refused(f"{self._contract.name}: {ENDED}.")
        stop = json.loads(request.parameters()).get(STOP)
        if flags & END:
            self._forget(who)
            seat.leave(line)
        elif stop is not None:
            seat.stop(stop)
            line.end()
        else:
            seat.ask(line, self._admitted(request, line))

    def _seat(self, who: int, line: Line) -> None:
        most = self._contract.capacity.sessions
        if len(self._seats) >= most:
            self._look_around()
        with self._lock:
            if len(self._seats) >= most:
                raise Busy(f"{self._contract.name}: all {most} {FULL}. Ask again in a moment.")
            self._seats[who] = Seat(self._crew, self._player, line)
        line.beat()  # it is taken in

    def _forget(self, who: int) -> Seat | None:
        with self._lock:
            return self._seats.pop(who, None)

    def _look_around(self) -> None:
        """End the sessions whose listener has gone, those idle for too long, and the longest idle if memory is short."""
        capacity = self._contract.capacity
        with self._lock:
            seats = dict(self._seats)
        kept = sum(seat.nbytes for seat in seats.values())
        for who, seat in sorted(seats.items(), key=lambda each: -each[1].idle_s):
            idle = seat.idle_s
            short = kept > capacity.memory_mb * 1e6 and idle > 0
            if (seat.line.is_left() or idle > capacity.idle_s or short) and self._forget(who):
                kept -= seat.nbytes
                seat.leave(why=Refused(f"{self._contract.name}: {ENDED}."))
