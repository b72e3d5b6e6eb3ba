"""The drum stem of a song by HTDemucs, through the demucs package.

    separate = HTDemucs.load("htdemucs")                 # pretrained: from the cache, fetched once when online
    separate = HTDemucs.load("/models/my-htdemucs")      # a folder: a bag (.yaml) or one model (.safetensors or .th)
    drums = separate.drums(song)                         # Audio at the song's own rate, channels and length

Weights are data here, never code: safetensors that name one of demucs' own classes, or a .th file read with
weights_only. Nothing is shifted at random, so the same song gives the same stems. Without network set HF_HUB_OFFLINE=1:
weights that are not there are then missed at once.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.music.audio import Audio, find_audio, read_audio, write_audio
from models.music.config import read_yaml
from models.music.errors import BadAudio, BadInput
from models.music.files import whole_folder

log = logging.getLogger(__name__)
HUB_OWNER = "adefossez"
KNOWN_CLASSES = ("demucs.htdemucs.HTDemucs", "demucs.hdemucs.HDemucs", "demucs.demucs.Demucs")
OVERLAP = 0.25
HUB_TIMEOUT_S = 5.0
MAX_SONG_S = 1800.0
WAY_OUT = "Give a folder with the model, fetch it once with network, or run with --no-separation."


@dataclass(frozen=True)
class HTDemucs:
    """A loaded separator; `drums` is what the drum pipeline asks for."""

    network: torch.nn.Module
    device: str = "cpu"

    @classmethod
    def load(cls, model: str | os.PathLike[str] = "htdemucs", device: str = "cpu") -> HTDemucs:
        """Load a local folder when there is one of that name, a pretrained model otherwise."""
        place = Path(model).expanduser()
        network = _from_folder(place) if place.is_dir() else _pretrained(str(model))
        if "drums" not in network.sources:
            raise BadInput(f"{model}: its stems are {', '.join(network.sources)}; one called drums is needed.")
        return cls(network.eval(), device)

    def stems(self, song: Audio) -> dict[str, Audio]:
        """Separate a song; every stem has the song's rate, channels and exact length."""
        from demucs.apply import apply_model

        network: Any = self.network
        heard = song.at_rate(network.samplerate)
        heard = heard.stereo() if network.audio_channels == 2 else heard.mono()
        mixture = torch.from_numpy(heard.samples.copy())
        middle, spread = mixture.mean(), mixture.mean(0).std(correction=0) + 1e-8
        with torch.inference_mode():
            mixture = ((mixture - middle) / spread)[None]
            answer = apply_model(network, mixture, shifts=0, split=True, overlap=OVERLAP, device=self.device)
        found = (answer[0] * spread + middle).cpu().numpy()
        return {name: _as_given(stem, heard.rate_hz, song) for name, stem in zip(network.sources, found, strict=True)}

    def drums(self, song: Audio) -> Audio:
        return self.stems(song)["drums"]


def write_drum_stems(
    source: str | os.PathLike[str], folder: str | os.PathLike[str], separator: HTDemucs, *, skip_bad: bool = False
) -> int:
    """Write the drums of every song at a path as WAV, the tree kept; give the number of songs."""
    songs, root = find_audio(source), Path(source) if Path(source).is_dir() else Path(source).parent
    with whole_folder(folder) as part:
        for song in songs:
            try:
                drums = separator.drums(read_audio(song, max_seconds=MAX_SONG_S))
            except BadAudio as error:
                if not skip_bad:
                    raise
                log.warning("left out: %s", error)
            else:
                place = part / song.relative_to(root)
                write_audio(place.with_name(f"{song.name}.wav" if song.suffix != ".wav" else song.name), drums)
        written = sum(1 for _ in part.rglob("*.wav"))
        if not written:
            raise BadAudio(f"{source}: none of its {len(songs)} files could be read. Export them again.")
    return written


def _as_given(stem: Any, rate_hz: int, song: Audio) -> Audio:
    """Bring a stem to the song's own rate, channels and length."""
    audio = Audio(stem, rate_hz, song.label).at_rate(song.rate_hz)
    audio = audio.mono() if song.channels == 1 else audio.stereo()
    samples = np.pad(audio.samples[:, : song.frames], ((0, 0), (0, max(0, song.frames - audio.frames))))
    return Audio(samples, song.rate_hz, song.label)


def _from_folder(folder: Path) -> Any:
    """Load a bag or a single model; `repo` of demucs, without its pickles."""
    weights = {file.stem.rsplit("-", 1)[0]: file for file in sorted(folder.glob("*.th"))}
    weights |= {file.stem: file for file in sorted(folder.glob("*.safetensors"))}
    bags = sorted(folder.glob("*.yaml"))
    if bags:
        return _bag(bags[0], lambda signature: _wanted(weights, signature, folder))
    if len(weights) != 1:
        raise BadInput(f"{folder}: {len(weights)} models and no bag (.yaml); one of either is needed. {WAY_OUT}")
    return _load_weights(next(iter(weights.values())))


def _wanted(weights: dict[str, Path], signature: str, folder: Path) -> Path:
    if signature not in weights:
        raise BadInput(f"{folder}: its bag names {signature!r}, which is not there. {WAY_OUT}")
    return weights[signature]


def _pretrained(name: str) -> Any:
    """Load a named model of the hub, each file from the cache when it is there."""
    from demucs.hf import hf_repo_name

    if os.sep in name or name.startswith(("~", ".")):
        raise BadInput(f"{name}: no such folder. {WAY_OUT}")
    repository = f"{HUB_OWNER}/{hf_repo_name(name)}"
    bag = _cached_or_fetched(name, repository, f"{name}.yaml")
    return _bag(bag, lambda signature: _cached_or_fetched(name, repository, f"{signature}.safetensors"))


def _cached_or_fetched(name: str, repository: str, file: str) -> Path:
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.constants import HF_HUB_OFFLINE

    cached = try_to_load_from_cache(repository, file)
    if isinstance(cached, str):
        return Path(cached)
    if HF_HUB_OFFLINE:
        raise BadInput(f"{name}: {file} is not cached and HF_HUB_OFFLINE is set. {WAY_OUT}")
    try:
        return Path(hf_hub_download(repository, file, etag_timeout=HUB_TIMEOUT_S))
    except Exception as error:  # the hub's own errors, those of two HTTP libraries and of the disk
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(f"{name}: {file} could not be fetched ({reason[:120]}). {WAY_OUT}") from error


def _bag(definition: Path, find: Callable[[str], Path]) -> Any:
    from demucs.apply import BagOfModels

    bag = read_yaml(definition)
    if not isinstance(bag.get("models"), list) or not bag["models"]:
        raise BadInput(f"{definition.name}: no list of models in it. {WAY_OUT}")
    members = [_load_weights(find(str(signature))) for signature in bag["models"]]
    return BagOfModels(members, bag.get("weights"), bag.get("segment"))


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
