"""How a Locoformer is built, and its named sizes.

    LocoformerConfig(variant="band", width=48, blocks=4)
    LAPTOP.width

`full` is the published network: every frequency is a step of a sequence. `band` gathers frequencies into bands first, an
order of magnitude cheaper at 44.1 kHz. The letters behind the fields are those of the paper (arXiv 2408.03440).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from models.music.audio import HOUSE_RATE_HZ
from models.music.errors import BadConfig
from models.separation.songs import STEMS

Variant = Literal["band", "full"]
BANDS = ((1000, 2), (2000, 4), (4000, 12), (8000, 24), (16000, 48))
COARSE = ((1000, 4), (2000, 8), (4000, 24), (8000, 48), (16000, 96))


@dataclass(frozen=True)
class LocoformerConfig:
    """Everything that a Locoformer's weights depend on."""

    variant: Variant = "band"
    """Sequences of bands, or of single frequencies."""
    stems: tuple[str, ...] = STEMS
    """What it tells apart, in the order of its answers."""
    channels: int = 2
    """Heard together; a network of one channel hears the sides of a stereo song one by one."""
    rate_hz: int = HOUSE_RATE_HZ
    """Of the sound it knows."""
    segment_s: float = 3.0
    """Heard at once while it was taught: its norms depend on the length, so it should hear as much when it plays."""
    n_fft: int = 2048
    """Samples of a spectrum."""
    hop: int = 512
    """Samples between spectra."""
    width: int = 48
    """Of what is known at a place of the spectrogram (D)."""
    blocks: int = 4
    """Each looks along frequencies and along time (B)."""
    hidden: tuple[int, ...] = (128, 128)
    """Feed-forward widths before and after attention (C); a single one stands after it."""
    kernel: int = 4
    """Reach of a feed-forward's convolutions (K)."""
    stride: int = 1
    """Step of a feed-forward's convolutions (S)."""
    attention: int = 48
    """Width of queries, keys and values, all heads together (A)."""
    heads: int = 4
    """Places that are looked at independently (H)."""
    norm: Literal["group", "layer"] = "group"
    """Root mean square within groups, as published, or plain layer norm."""
    groups: int = 4
    """Groups of a norm (G)."""
    order: Literal["frequency first", "time first"] = "frequency first"
    """What a block looks along first."""
    positions: Literal["rotary", "none"] = "rotary"
    """How attention knows what is near."""
    dropout: float = 0.0
    """Share of values left out while learning."""
    eps: float = 1e-5
    """Added to what norms divide by."""
    bands: tuple[tuple[int, int], ...] = BANDS
    """Up to so many hertz, a band has so many frequencies; two bands (four at 48 kHz) take the rest. Only `band`."""
    decoder: int = 4
    """Width of the decoder, times `width`. Only `band`."""
    masking: bool = True
    """Whether the mixture is multiplied by the answer, or is replaced by it. Only `band`; `full` replaces it."""
    checkpointing: bool = False
    """Forget what blocks thought and think it again for the gradient: less memory, a third more time."""

    def __post_init__(self) -> None:
        for name, divisor in (("width", self.groups), ("attention", 2 * self.heads)):
            if (value := getattr(self, name)) < 1 or value % divisor:
                raise BadConfig(f"{name} is {value}; it must be a multiple of {divisor}.")
        if self.channels not in (1, 2):
            raise BadConfig(f"channels is {self.channels}; it must be 1 or 2.")
        if len(self.hidden) not in (1, 2):
            raise BadConfig(f"hidden is {self.hidden}; give one feed-forward width, or two.")
        if not 1 <= self.stride <= self.kernel:
            raise BadConfig(f"stride is {self.stride}; it must be from 1 to the kernel, {self.kernel}.")
        if not 1 <= self.hop <= self.n_fft // 2:
            raise BadConfig(f"hop is {self.hop}; it must be from 1 to half of n_fft, {self.n_fft // 2}.")
        if self.variant not in get_args(Variant) or not self.stems:
            raise BadConfig(f"variant is {self.variant!r}, stems {self.stems}; give band or full, and a stem at least.")


TINY = LocoformerConfig(
    n_fft=256, hop=128, width=8, blocks=1, hidden=(16, 16), attention=8, heads=2, groups=2, decoder=1, segment_s=0.5
)
"""For tests."""
LAPTOP = LocoformerConfig(
    hop=1024, width=32, blocks=2, hidden=(64, 64), kernel=3, attention=32, heads=2, bands=COARSE, decoder=1
)
"""Learns on two cores; the default."""
STUDIO = LocoformerConfig(width=128, blocks=6, hidden=(384, 384), attention=128, segment_s=6.0, checkpointing=True)
"""The paper's medium size, with bands."""
FULL = LocoformerConfig(
    variant="full", channels=1, width=128, blocks=6, hidden=(384, 384), attention=128, segment_s=4.0, checkpointing=True
)
"""The paper's medium size, as published."""
