"""The learned voice, ready to speak.

scorer = RoleScorer.load("models/drums/roles/starter")
scorer.score([audio, ...])                  # float32[t] at 16 kHz each -> float32[n, 5], in the order of ROLES
scorer.trust                                # how far the jury heeds it beside the rules, and how sure it may be
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.drums.roles.features import DSPConfig, measure_frames
from models.drums.roles.listening import AudioConfig, Frames, batches, listen, prepare
from models.drums.roles.picture import draw_frames
from models.drums.roles.trust import Trust
from models.drums.roles.types import ROLES, DSPFeatures
from models.music.audio import LISTENING_RATE_HZ, Audio

STARTER = Path(__file__).parent.parent / "starter"


class RoleScorer:
    """A trained network and how far it is to be trusted."""

    def __init__(self, network: Any, trust: Trust, facts: dict[str, Any]) -> None:
        self.network, self.trust, self.facts = network, trust, facts

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> RoleScorer:
        """Load a model folder."""
        from models.drums.roles.learned.network import RoleNetwork, ScorerConfig
        from models.learning.checkpoint import load_model

        network, facts = load_model(folder, "roles", ScorerConfig, RoleNetwork)
        return cls(network, Trust.told(facts), facts)

    def score(self, sounds: Sequence[ArrayLike]) -> NDArray[np.float32]:
        """Score sounds at 16 kHz, [t] or [channels, t], prepared or not: float32[n, 5]."""
        if not len(sounds):
            return np.zeros((0, len(ROLES)), np.float32)
        audio = [Audio(np.asarray(s, np.float32), LISTENING_RATE_HZ, f"sound {i}") for i, s in enumerate(sounds)]
        clips = [prepare(sound, AudioConfig()) for sound in audio]
        scores = []
        for batch in batches(clips):
            frames = listen(batch)
            scores.append(self.score_frames(frames, measure_frames(frames, DSPConfig())))
        return np.concatenate(scores)

    def score_frames(self, frames: Frames, features: Sequence[DSPFeatures]) -> NDArray[np.float32]:
        """Score clips whose frames and features are there already."""
        return self.score_seen(draw_frames(frames), np.stack([f.as_array() for f in features]))

    def score_seen(self, pictures: NDArray[np.floating], features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score pictures [n, MELS, SPANS] and features [n, 11]."""
        import torch

        from models.learning.training import on_threads

        with torch.inference_mode(), on_threads(1):  # threads of so small a network only wait for one another
            pieces = zip(
                torch.from_numpy(pictures).float().split(64), torch.from_numpy(features).split(64), strict=True
            )
            return torch.cat([self.network(seen, measured) for seen, measured in pieces]).numpy()


def open_scorer(where: str) -> RoleScorer | None:
    """Load the scorer a setting names: "starter", a model folder, or "" for none."""
    return _loaded(str(STARTER if where == "starter" else Path(where).expanduser())) if where else None


@lru_cache(maxsize=2)
def _loaded(folder: str) -> RoleScorer:
    return RoleScorer.load(folder)
