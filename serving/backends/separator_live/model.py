"""The separator that plays along inside Triton: a stream of blocks in each session, and its stems out."""

from __future__ import annotations

from pathlib import Path

from models.music.errors import BadInput
from models.separation.realtime.engine import LiveEngine
from serving.backends.backend import Backend
from serving.backends.player import Cancelled, Playing
from serving.contract import Arrays
from serving.contracts.separator_live import BLOCK_FRAMES, DELAY_FRAMES, RATE_HZ, SEPARATOR_LIVE, STEM_NAMES


class LiveStream:
    """One session, which remembers what the next block needs."""

    def __init__(self, engine: LiveEngine) -> None:
        self._engine, self._state = engine, engine.network.begin()
        self.nbytes = self._state.nbytes

    def parts(self, request: Arrays, cancelled: Cancelled) -> Playing:
        if over := request["block"].shape[1] % BLOCK_FRAMES:
            raise BadInput(f"separator_live: block has {over} frames too many; give a multiple of {BLOCK_FRAMES}.")
        stems, self._state = self._engine.hear(request["block"], self._state)
        yield {"stems": stems}

    def close(self) -> None:
        """Nothing is kept but the state."""


class LivePlayer:
    """A network that many streams share."""

    def __init__(self, folder: Path) -> None:
        self._engine = LiveEngine.load(folder)
        config = self._engine.network.config
        told = config.stems, config.rate_hz, config.delay_samples
        if told != (STEM_NAMES, RATE_HZ, DELAY_FRAMES):
            raise BadInput(
                f"separator_live: stems {', '.join(config.stems)} at {config.rate_hz} Hz, {config.delay_samples} samples"
                f" late; {', '.join(STEM_NAMES)} at {RATE_HZ}, {DELAY_FRAMES} late are served. Train another."
            )

    def open(self) -> LiveStream:
        return LiveStream(self._engine)


class TritonPythonModel(Backend):
    contract = SEPARATOR_LIVE

    def open_player(self, folder: Path) -> LivePlayer:
        return LivePlayer(folder)
