"""Engines for tests, and a song for them."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from models.music.audio import Audio


class Halver:
    """An engine that gives a half and a quarter of what it hears, one piece late and shifted by a level of its own."""

    stems, rate_hz, memory_mb = ("drums", "other"), 16_000, 10

    def __init__(self, channels: int = 2) -> None:
        self.channels = channels

    def parts(self, song: Iterator[np.ndarray], middle: float, spread: float) -> Iterator[np.ndarray]:
        before = None
        for piece in song:
            if before is not None:
                yield before
            before = np.stack([piece / 2, piece / 4])
        assert before is not None
        yield before


def noise(seconds: float, rate_hz: int = 16_000, channels: int = 2) -> Audio:
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (channels, round(seconds * rate_hz)))
    return Audio(samples.astype(np.float32), rate_hz, "song.wav")


def tiny_htdemucs(folder: Path, rate_hz: int = 44_100) -> Path:
    """A bag of one tiny random model, saved as demucs saves them."""
    import torch
    from demucs.htdemucs import HTDemucs
    from demucs.states import save_with_checksum

    sizes = {
        "sources": ["drums", "bass", "other", "vocals"],
        "channels": 8,
        "dconv_comp": 2,
        "dconv_depth": 1,
        "depth": 2,
        "nfft": 512,
        "t_layers": 1,
        "t_heads": 2,
        "bottom_channels": 16,
        "segment": Fraction(1),
        "samplerate": rate_hz,
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = HTDemucs(**sizes)
    package = {"klass": HTDemucs, "args": [], "kwargs": sizes, "state": network.state_dict(), "training_args": {}}
    folder.mkdir(exist_ok=True)
    save_with_checksum(package, folder / "tiny.th")
    (folder / "bag.yaml").write_text('models: ["tiny"]\n')
    return folder
