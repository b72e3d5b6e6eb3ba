"""Asks the server, in a thread of its own: one session, one request at a time, and the latest wins.

    worker = GenerationWorker(partial(JamflowClient, url), tell=letters.put)
    worker.ask(Job(epoch=7, cue=cue, start_ticks=3840))         # cancels what is being played, within a note
    worker.close()

It tells: Came for each note, Ended for each job, Server whenever that changes. A server that fails, falls silent or plays
what cannot be music is left; it is asked again after a pause, and must play its canary before it is trusted with a solo.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any, NamedTuple

from models.music.errors import JamflowError, Refused, ServingError, TooLate, Unavailable
from realtime_client.guard import Guard, NoteRow
from realtime_client.messages import Server
from serving.asker import Asker, Parts, Reply, Session
from serving.contracts.jam import JAM, Cue

PATIENCE_S = 0.25
"""A first note is awaited for so long where nothing else is there to be played."""
OPENING_S, CANARY_S = 2.0, 2.0
COLD_S = 1.0
"""The first answer of a session: the server reads all that was played."""
PAUSE_S, LONGEST_PAUSE_S, DISTRUST_S = 0.05, 2.0, 2.0
FAREWELL_S = 1.5
CANARY = Cue(0, JAM.canary["horizon_ticks"][0])


class Garbage(JamflowError):
    """What came cannot be music."""


class Job(NamedTuple):
    """One request."""

    epoch: int
    cue: Cue
    start_ticks: int
    """Where the cue begins, in rt's ticks."""
    trigger_ns: int = 0
    """The first note-on of the chord that asked for it; 0 where the solo only goes on."""
    patience_s: float = PATIENCE_S
    aloud: bool = True
    """Or only to keep the server's memory warm."""

    @property
    def until_ticks(self) -> int:
        return self.start_ticks + self.cue.horizon_ticks


class Came(NamedTuple):
    """A note, in rt's ticks."""

    job: Job
    note: NoteRow


class Ended(NamedTuple):
    """What became of a job. Times are 0 where it never came to that."""

    job: Job
    outcome: str
    """As in messages.Asked."""
    sent_ns: int = 0
    first_note_ns: int = 0
    done_ns: int = 0
    notes: int = 0


Told = Came | Ended | Server


class GenerationWorker:
    """`tell` is called in this worker's thread, and must not wait."""

    def __init__(
        self,
        connect: Callable[[], Asker],
        tell: Callable[[Told], None],
        styles: Callable[[Any], tuple[str, ...]] = lambda asker: (),
    ) -> None:
        self._connect, self._tell, self._styles = connect, tell, styles
        self._changed = threading.Condition()
        self._next: Job | None = None
        self._parts: Parts | None = None
        self._closing = False
        self._pause_s = PAUSE_S
        self._thread = threading.Thread(target=self._work, name="generation", daemon=True)
        self._thread.start()

    def ask(self, job: Job | None) -> None:
        """Play this instead of whatever is being played or waits; None only silences."""
        with self._changed:
            unheard, self._next = self._next, job
            parts, self._parts = self._parts, None
            if parts is not None:
                parts.close()
            self._changed.notify()
        if unheard is not None:
            self._tell(Ended(unheard, "superseded"))

    def close(self) -> None:
        with self._changed:
            self._closing = True
        self.ask(None)
        self._thread.join(FAREWELL_S)

    def _work(self) -> None:
        while not self._closing:
            self._tell(Server("connecting", "asking the server for a session"))
            try:
                self._serve()
            except Exception as error:  # whatever it is: without this thread nobody would ask again
                self._pause_s = DISTRUST_S if isinstance(error, Garbage) else self._pause_s
                self._tell(Server("lost", str(error) or repr(error)))
                self.ask(None)
            with self._changed:
                self._changed.wait_for(lambda: self._closing, self._pause_s)
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def _serve(self) -> None:
        """Play job after job on one session."""
        with contextlib.ExitStack() as leaving:
            asker = self._connect()
            left: list[Session | Asker] = [asker]
            leaving.callback(_leave, left)
            session = asker.session(JAM, OPENING_S)
            left.insert(0, session)
            self._tell(Server("canary", "listening to a first note"))
            self._prove(session)
            self._tell(Server("ready", "plays", self._named_styles(asker)))
            patience_s = COLD_S
            while self._play_next(session, patience_s):
                patience_s = 0.0

    def _prove(self, session: Session) -> None:
        with session.ask(JAM.canary_request(), CANARY_S) as parts:
            first = next(parts, None)
        if first is None:
            raise Garbage("its canary was silence.")
        _check(Guard(CANARY), _note(first))

    def _named_styles(self, asker: Asker) -> tuple[str, ...]:
        try:
            return self._styles(asker)
        except ServingError:  # it plays, and that is enough
            return ()

    def _play_next(self, session: Session, patience_s: float) -> bool:
        """Wait for a job and play it, with no less patience than this; False when there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._next)
            job, self._next = self._next, None
            if self._closing or job is None:
                return False
            began_ns, came_ns, outcome = perf_counter_ns(), [], "superseded"
            try:
                parts = self._parts = session.ask(job.cue.arrays(), max(job.patience_s, patience_s))
            except JamflowError as error:
                self._tell(Ended(job, _outcome(error), began_ns, done_ns=perf_counter_ns()))
                raise
        try:
            guard, moved = Guard(job.cue), job.start_ticks - job.cue.start_ticks
            for part in parts:
                _check(guard, note := _note(part))
                came_ns.append(perf_counter_ns())
                self._tell(Came(job, (note[0], note[1], note[2] + moved, note[3])))
            if self._parts is parts:
                outcome, self._pause_s = "whole", PAUSE_S
        except JamflowError as error:
            outcome = _outcome(error)
            raise
        finally:
            self._parts = None
            first_ns = came_ns[0] if came_ns else 0
            self._tell(Ended(job, outcome, began_ns, first_ns, perf_counter_ns(), len(came_ns)))
        return True


def _check(guard: Guard, note: NoteRow) -> None:
    if wrong := guard.amiss(note):
        raise Garbage(f"it sent {wrong}.")


def _outcome(error: JamflowError) -> str:
    for kind, word in ((TooLate, "late"), (Unavailable, "unavailable"), (Garbage, "garbage"), (Refused, "refused")):
        if isinstance(error, kind):
            return word
    return "refused"


def _note(part: Reply) -> NoteRow:
    pitch, velocity, onset, duration = part.arrays["note"][0].tolist()
    return pitch, velocity, onset, duration


def _leave(left: list[Session | Asker]) -> None:
    """Close in a thread of its own: a farewell to a server that hangs takes a second."""
    threading.Thread(target=lambda: [each.close() for each in left], name="farewell", daemon=True).start()  # type: ignore
