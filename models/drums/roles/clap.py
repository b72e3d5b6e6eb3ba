"""The CLAP voice: how much a one-shot sounds like the words for its role.

    voice = open_clap(ClapConfig())                  # None, said once, where the weights are not on this machine
    similarities = voice.similarities(clips_48k)     # float32[n, 5] cosines, in the order of ROLES
    p_clap = voice.probabilities(similarities)

Sound goes in at 48 kHz, as the model was trained. The text embeddings are kept on disk by model and prompt.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.drums.roles.types import ROLES
from models.music.config import nearest, read_yaml
from models.music.errors import BadConfig
from models.music.files import whole_file

log = logging.getLogger(__name__)
CLAP_RATE_HZ = 48_000
PROMPTS_FILE = Path(__file__).with_name("prompts.yaml")


@dataclass(frozen=True)
class ClapConfig:
    """Which CLAP listens, and how sharply."""

    enabled: bool = True
    """Ask CLAP at all."""
    model: str = "laion/clap-htsat-unfused"
    """A name on the hub, or a local folder."""
    download: bool = False
    """Fetch the weights when they are not on this machine."""
    temperature: float = 0.07
    """Of the softmax over the cosines."""
    window_seconds: float = 1.0
    """A longer sound is heard in windows of this length; their embeddings are averaged."""
    batch: int = 16
    """Windows heard at once."""
    cache: str = "~/.cache/jamflow/clap"
    """Folder of the text embeddings."""
    prompts: dict[str, str] = field(default_factory=dict)
    """What each role sounds like in words; prompts.yaml where not given."""

    def __post_init__(self) -> None:
        if self.temperature <= 0:
            raise BadConfig(f"clap: temperature is {self.temperature}; it must be above 0 (try 0.07).")
        for role in self.prompts:
            if role not in ROLES:
                raise BadConfig(f"clap: prompts name {role!r}; {nearest(role, ROLES)}.")

    def prompt_list(self) -> list[str]:
        """Return the prompt of every role, in order."""
        shipped = read_yaml(PROMPTS_FILE)
        return [str(self.prompts.get(role, shipped[role])) for role in ROLES]


class ClapVoice:
    """A loaded CLAP and the embeddings of the prompts."""

    def __init__(self, model: Any, processor: Any, config: ClapConfig) -> None:
        self.model, self.processor, self.config = model, processor, config
        self.text = self._text_embeddings()

    def similarities(self, clips: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Compare clips at 48 kHz with the prompts: float32[n, 5] cosines."""
        size = round(self.config.window_seconds * CLAP_RATE_HZ)
        windows = [clip[start : start + size] for clip in clips for start in range(0, len(clip), size)]
        owners = np.repeat(np.arange(len(clips)), [-(-len(clip) // size) for clip in clips])
        heard = [self._hear(windows[i : i + self.config.batch]) for i in range(0, len(windows), self.config.batch)]
        means = np.zeros((len(clips), self.text.shape[1]), np.float32)
        np.add.at(means, owners, np.concatenate(heard))
        return _unit(means) @ self.text.T

    def probabilities(self, similarities: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return p_clap: float64[n, 5]."""
        logits = similarities.astype(np.float64) / self.config.temperature
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    def _hear(self, windows: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        import torch

        inputs = self.processor(audio=windows, sampling_rate=CLAP_RATE_HZ, return_tensors="pt")
        with torch.inference_mode():
            return _unit(self.model.get_audio_features(**inputs).pooler_output.numpy())

    def _text_embeddings(self) -> NDArray[np.float32]:
        """Embed the prompts, or take them from the disk: they change only with the model and the words."""
        prompts = self.config.prompt_list()
        key = hashlib.sha256(json.dumps([_identity(self.config.model), *prompts]).encode()).hexdigest()
        kept = Path(self.config.cache).expanduser() / f"{key[:32]}.npy"
        if kept.is_file():
            return np.load(kept, allow_pickle=False)
        import torch

        inputs = self.processor(text=prompts, padding=True, return_tensors="pt")
        with torch.inference_mode():
            text = _unit(self.model.get_text_features(**inputs).pooler_output.numpy())
        with whole_file(kept) as part, open(part, "wb") as file:
            np.save(file, text)
        return text


def open_clap(config: ClapConfig) -> ClapVoice | None:
    """Load CLAP, or say once that it is not here and return None."""
    if not config.enabled:
        return None
    if not (config.download or _is_here(config.model)):
        _say_once(config.model)
        return None
    from transformers import ClapModel, ClapProcessor

    try:
        model = ClapModel.from_pretrained(config.model, local_files_only=not config.download)
        processor = ClapProcessor.from_pretrained(config.model, local_files_only=not config.download)
    except (OSError, ValueError) as error:
        log.warning("CLAP %s not loaded (%s)", config.model, str(error).splitlines()[0])
        _say_once(config.model)
        return None
    return ClapVoice(model.eval(), processor, config)


def _is_here(model: str) -> bool:
    """Whether the weights are in a folder or in the hub's cache; answers without importing transformers."""
    if Path(model).expanduser().is_dir():
        return True
    from huggingface_hub import try_to_load_from_cache

    found = (try_to_load_from_cache(model, name) for name in ("model.safetensors", "pytorch_model.bin"))
    return any(isinstance(path, str) for path in found)


@cache
def _say_once(model: str) -> None:
    log.warning(
        "CLAP weights (%s) are not on this machine: roles are decided by the other voices. "
        "Give clap.model a folder, or set clap.download.",
        model,
    )


def _identity(model: str) -> Mapping[str, Any]:
    """Tell a model from another of the same name: a folder by its weights' size and time."""
    files = sorted(Path(model).expanduser().glob("*.safetensors")) if Path(model).expanduser().is_dir() else []
    return {"model": model, "files": [[f.name, f.stat().st_size, f.stat().st_mtime_ns] for f in files]}


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
