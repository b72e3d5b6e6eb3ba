"""What every Triton model of ours shares. A model's `model.py` names its contract and opens its player (player.py):

    class TritonPythonModel(Backend):
        contract = GROOVE

        def open_player(self, folder: Path) -> GroovePlayer:
            return GroovePlayer(folder)

How requests reach the player follows from the contract's mode: batches.py, streams.py, sessions.py.
"""

from __future__ import annotations

import contextlib
import ctypes
from pathlib import Path
from typing import Any, ClassVar

import torch

from serving.asker import whole
from serving.backends.batches import Batches
from serving.backends.player import Player
from serving.backends.sessions import Sessions
from serving.backends.streams import Streams
from serving.contract import ModelContract
from serving.in_process import InProcess

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
HEAP_BYTES = 32 << 20
"""The most that glibc takes for either."""

WAYS: dict[str, Any] = {"batched": Batches, "stream": Streams, "session": Sessions}


class Backend:
    """A TritonPythonModel over a player."""

    contract: ClassVar[ModelContract]

    def open_player(self, folder: Path) -> Player:
        """Load the model from its folder."""
        raise NotImplementedError

    def initialize(self, args: dict[str, Any]) -> None:
        _keep_large_tensors()
        torch.set_num_threads(1)  # several models share the machine; threads of one request only fight
        folder = Path(args["model_repository"]) / args["model_version"] / "model"
        player = self.open_player(folder)
        warm = InProcess(folder, player=player)
        whole(warm, self.contract, self.contract.canary_request())  # one that cannot play does not load
        self._way = WAYS[self.contract.mode](self.contract, player, args["model_name"], args["model_version"])

    def execute(self, requests: list[Any]) -> list[Any] | None:
        return self._way.execute(requests)

    def finalize(self) -> None:
        self._way.close()


def _keep_large_tensors() -> None:
    """Take large tensors from the heap: the server gives every large block back at once, which is right for messages only."""
    with contextlib.suppress(AttributeError):  # not the C library of GNU
        mallopt = ctypes.CDLL(None).mallopt
        for setting in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
            mallopt(setting, HEAP_BYTES)
