"""Ask a model in this process: the same player as Triton's, the same checks, no server.

asker = InProcess(starter)                  # or any trained model's folder
reply = groove(asker, hits, bars=2)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from serving.asker import Reply
from serving.contract import Arrays, ModelContract


class InProcess:
    """One model's folder, loaded when it is first asked."""

    def __init__(self, folder: str | os.PathLike[str], version: int = 0) -> None:
        self._folder, self._version = Path(folder), version
        self._player: Any = None

    def ask(self, contract: ModelContract, arrays: Arrays, deadline_s: float | None = None) -> Reply:
        """Play a request; a deadline means nothing here, where nobody else is waited for."""
        from serving.backends import open_player

        contract.check(arrays)
        if self._player is None:
            self._player = open_player(contract.name, self._folder)
        return Reply(self._player.play([arrays])[0], self._version)
