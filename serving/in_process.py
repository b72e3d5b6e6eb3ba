"""Ask a model in this process: the same player as Triton's, the same checks, no server.

asker = InProcess(starter)                  # or any trained model's folder
reply = groove(asker, hits, bars=2)
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from models.music.errors import BadInput, Refused
from serving.asker import Parts, Reply, Session
from serving.contract import Arrays, ModelContract


class InProcess:
    """One model's folder, loaded when it is first asked (or a player that was); a deadline means nothing here."""

    def __init__(self, folder: str | os.PathLike[str], version: int = 0, player: Any = None) -> None:
        self._folder, self._version = Path(folder), version
        self._player = player

    def ask(
        self, contract: ModelContract, arrays: Arrays, deadline_s: float | None = None, version: int | None = None
    ) -> Reply:
        """Play a request."""
        contract.check(arrays)
        return Reply(self._open(contract, version).play([arrays])[0], self._version)

    def stream(
        self, contract: ModelContract, arrays: Arrays, deadline_s: float | None = None, version: int | None = None
    ) -> Parts:
        """Play a request in parts, each when it is asked for."""
        contract.check(arrays)
        player = self._open(contract, version)
        return _PlayedParts(contract, self._version, lambda cancelled: player.parts(arrays, cancelled))

    def session(self, contract: ModelContract, deadline_s: float | None = None, version: int | None = None) -> Session:
        """Open a session of the player."""
        return _PlayedSession(contract, self._version, self._open(contract, version).open())

    def _open(self, contract: ModelContract, version: int | None) -> Any:
        if version not in (None, self._version):
            raise Refused(f"{contract.name}: version {self._version} plays in this process, not {version}.")
        if self._player is None:
            from serving.backends import open_player

            self._player = open_player(contract.name, self._folder)
        return self._player


class _PlayedParts(Parts):
    """An answer's parts, played by whoever asks for the next one."""

    def __init__(
        self,
        contract: ModelContract,
        version: int,
        play: Callable[[Callable[[], bool]], Generator[Arrays]],
    ) -> None:
        self._contract, self._version = contract, version
        self._ready: deque[Reply | Exception] = deque()
        self._stopped = threading.Event()
        self._playing = play(self._stopped.is_set)

    def __next__(self) -> Reply:
        if not self._ready:
            return self._play()
        ready = self._ready.popleft()
        if isinstance(ready, Exception):
            raise ready
        return ready

    def stop(self) -> None:
        """Play no further part."""
        self._stopped.set()

    def finish(self) -> None:
        """Play to the end, for whoever reads it later."""
        while True:
            try:
                self._ready.append(self._play())
            except StopIteration:
                return
            except Exception as error:
                self._ready.append(error)

    def close(self) -> None:
        self._stopped.set()
        self._ready.clear()
        self._playing.close()

    def _play(self) -> Reply:
        if self._stopped.is_set():
            self._playing.close()
        arrays = next(self._playing)
        try:
            self._contract.check_answer(arrays)
        except BadInput as error:
            raise Refused(f"the answer breaks the contract: {error} Take another version.") from error
        return Reply(arrays, self._version)


class _PlayedSession(Session):
    """A player's session; an answer is played to its end before the next one begins."""

    def __init__(self, contract: ModelContract, version: int, session: Any) -> None:
        self._contract, self._version, self._session = contract, version, session
        self._asked: Callable[[], _PlayedParts | None] = lambda: None

    def ask(self, arrays: Arrays, deadline_s: float | None = None) -> Parts:
        self._contract.check(arrays)
        if (last := self._asked()) is not None:
            last.finish()
        parts = _PlayedParts(self._contract, self._version, lambda cancelled: self._session.parts(arrays, cancelled))
        self._asked = weakref.ref(parts)  # an answer that nobody holds any more ends by itself
        return parts

    def stop(self) -> None:
        if (last := self._asked()) is not None:
            last.stop()

    def close(self) -> None:
        if (last := self._asked()) is not None:
            last.close()
        self._session.close()
