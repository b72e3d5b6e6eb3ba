"""How a separator that plays along is built, and its named sizes.

    LiveConfig(hop=256, memory=64)
    LIVE.latency_samples, LIVE.delay_samples

A Locoformer with bands whose look along time is a memory. A spectrum is long, so that low notes are told apart, but only
its last two hops are played: what comes out is as late as those, not as late as a spectrum is long.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.music.errors import BadConfig
from models.separation.locoformer.config import COARSE, LocoformerConfig


@dataclass(frozen=True)
class LiveConfig(LocoformerConfig):
    """Everything that the weights of a separator that plays along depend on; `order` and `checkpointing` mean nothing here."""

    memory: int = 48
    """Width of what each band remembers."""
    level_s: float = 2.0
    """In so many seconds the level that a band is measured by falls to half; it rises at once."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.variant != "band" or self.channels != 2:
            raise BadConfig(f"variant is {self.variant!r}, channels {self.channels}; live there is band, and 2.")
        if self.memory < 1 or not self.level_s > 0:
            raise BadConfig(f"memory is {self.memory}, level_s {self.level_s}; both must be above 0.")

    @property
    def latency_samples(self) -> int:
        """So long after a sample has come in its stems are known, however fast the machine is."""
        return 2 * self.hop

    @property
    def delay_samples(self) -> int:
        """So far the stems that come out lie behind the blocks that go in."""
        return self.hop


TINY = LiveConfig(
    n_fft=1024,
    width=8,
    blocks=1,
    hidden=(16,),
    attention=8,
    heads=2,
    groups=2,
    bands=COARSE,
    decoder=1,
    memory=8,
    segment_s=0.5,
)
"""For tests."""
LIVE = LiveConfig(
    hop=512,
    width=32,
    blocks=3,
    hidden=(64,),
    attention=32,
    heads=2,
    norm="layer",
    positions="none",
    bands=COARSE,
    decoder=2,
)
"""23 ms late at 44.1 kHz; plays on one core."""
