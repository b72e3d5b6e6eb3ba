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
from numpy.typing import NDArray

from models.music.errors import BadInput
from models.separation.weights import WAY_OUT, Bag

# s stems, c channels, t samples
KNOWN_CLASSES = ("demucs.htdemucs.HTDemucs", "demucs.hdemucs.HDemucs", "demucs.demucs.Demucs")
OVERLAP = 0.25


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
    def window(self) -> int:
        """Samples that are heard at once."""
        return int(self.rate_hz * min(member.segment for member in self.network.models))

    def parts(self, song: Iterator[NDArray[np.float32]], middle: float, spread: float) -> Iterator[NDArray[np.float32]]:
        """Separate pieces [c, t] that follow one another into parts [s, c, t] that do."""
        window, stride = self.window, int((1 - OVERLAP) * self.window)
        rising = torch.arange(1, window // 2 + 1)
        fade = torch.cat([rising, torch.arange(window - window // 2, 0, -1)]) / (window - window // 2)
        added, faded = torch.zeros(len(self.stems), self.channels, window), torch.zeros(window)
        mixture = (torch.from_numpy((piece - middle) / (spread + 1e-8)) for piece in song)
        for heard, start in _windows(mixture, window, stride):
            found = self._separated(heard, start)
            frames = found.shape[-1]
            added[..., :frames] += fade[:frames] * found
            faded[:frames] += fade[:frames]
            done = min(stride, frames)
            yield (added[..., :done] / faded[:done] * spread + middle).numpy()
            added = torch.nn.functional.pad(added[..., stride:], (0, stride))
            faded = torch.nn.functional.pad(faded[stride:], (0, stride))

    @torch.inference_mode()
    def _separated(self, heard: torch.Tensor, start: int) -> torch.Tensor:
        """Separate one window of what was heard; a network that wants more than a window hears what lies around it."""
        from demucs.apply import TensorChunk, apply_model

        chunk = TensorChunk(heard[None], start, self.window)
        return apply_model(self.network, chunk, shifts=0, split=False, device=self.device)[0].cpu()


def _windows(song: Iterator[torch.Tensor], window: int, stride: int) -> Iterator[tuple[torch.Tensor, int]]:
    """Give each window as its start in a stretch [c, t] that holds one more window on either side."""
    heard, start = next(song), 0
    while heard.shape[1] > start:
        while heard.shape[1] < start + 2 * window and (piece := next(song, None)) is not None:
            heard = torch.cat([heard, piece], dim=1)
        yield heard, start
        past = max(0, start + stride - window)
        heard, start = heard[:, past:], start + stride - past


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
