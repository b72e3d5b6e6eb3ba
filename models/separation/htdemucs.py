"""HTDemucs and its kin, through the demucs package: an engine behind models.separation.stems.

    HTDemucs.load(find_bag("htdemucs")).parts(pieces, middle, spread)      # [s, c, t] after [s, c, t]

Windows of a few seconds overlap by a quarter and are faded into one another, as demucs does it over a whole song; here
each part leaves as soon as nothing more is added to it. Weights are data, never code: safetensors that name one of
demucs' own classes, or a .th file read with weights_only. Nothing is shifted at random: the same song, the same stems.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.music.errors import BadInput
from models.separation.overlap import Samples, overlap_added
from models.separation.weights import WAY_OUT, Bag

KNOWN_CLASSES = ("demucs.htdemucs.HTDemucs", "demucs.hdemucs.HDemucs", "demucs.demucs.Demucs")


@dataclass(frozen=True)
class HTDemucs:
    """A bag of loaded networks."""

    network: Any
    device: str = "cpu"

    @classmethod
    def load(cls, bag: Bag, device: str = "cpu") -> HTDemucs:
        from demucs.apply import BagOfModels

        network = BagOfModels([_load_weights(file) for file in bag.members], bag.weights, bag.segment)
        return cls(network.to(device).eval(), device)

    @property
    def stems(self) -> Sequence[str]:
        return self.network.sources

    @property
    def rate_hz(self) -> int:
        return self.network.samplerate

    @property
    def channels(self) -> int:
        return self.network.audio_channels

    @property
    def memory_mb(self) -> int:
        return 1500

    @property
    def window(self) -> int:
        """Samples that are heard at once."""
        return int(self.rate_hz * min(member.segment for member in self.network.models))

    def parts(self, song: Iterator[Samples], middle: float, spread: float) -> Iterator[Samples]:
        """Separate pieces [c, t] that follow one another into parts [s, c, t] that do."""
        level = np.float32(spread + 1e-8), np.float32(middle)
        mixture = ((piece - level[1]) / level[0] for piece in song)
        for part in overlap_added(mixture, self._hear, self.window):
            yield part * np.float32(spread) + level[1]

    @torch.inference_mode()
    def _hear(self, around: Samples, start: int) -> Samples:
        """Separate one window; a network that wants more than a window hears what lies around it."""
        from demucs.apply import TensorChunk, apply_model

        chunk = TensorChunk(torch.from_numpy(around)[None], start, self.window)
        return apply_model(self.network, chunk, shifts=0, split=False, device=self.device)[0].cpu().numpy()


def _load_weights(file: Path) -> Any:
    """Load one model of demucs' own classes; anything that would run code is refused."""
    import pickle

    from demucs.hf import load_safetensors_model
    from demucs.states import load_model
    from safetensors import SafetensorError, safe_open

    try:
        if file.suffix == ".safetensors":
            with safe_open(str(file), framework="pt") as opened:
                about = opened.metadata() or {}
            if about.get("klass") not in KNOWN_CLASSES or "structure" in about:
                raise BadInput(f"{file.name}: it asks for {about.get('klass')!r}, not a plain demucs model. {WAY_OUT}")
            return load_safetensors_model(file)
        with torch.serialization.safe_globals(_known_classes()), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a foreign pickle's protocol; it is refused or read safely
            return load_model(torch.load(file, map_location="cpu", weights_only=True))
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, KeyError, TypeError, EOFError) as error:
        raise BadInput(
            f"{file.name}: not weights that can be trusted and read ({type(error).__name__}). {WAY_OUT}"
        ) from error


def _known_classes() -> list[Any]:
    from fractions import Fraction

    from demucs import demucs, hdemucs, htdemucs

    return [Fraction, demucs.Demucs, hdemucs.HDemucs, htdemucs.HTDemucs]
