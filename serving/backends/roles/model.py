"""The role model inside Triton: a one-shot in, its role and how sure that is out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.drums.roles.assigner import RoleAssignerConfig
from models.drums.roles.features import measure_frames
from models.drums.roles.jury import Jury
from models.drums.roles.learned.scorer import RoleScorer
from models.drums.roles.listening import listen, prepare
from models.drums.roles.types import ROLES, DSPFeatures, SampleResult, ScoreVector
from models.music.audio import LISTENING_RATE_HZ, Audio
from serving.backends.backend import Backend
from serving.contract import Arrays
from serving.contracts import roles as wire


class RolesPlayer:
    """The learned scorer and the rules, and the jury over both; features that come with a request are not measured again."""

    def __init__(self, folder: Path) -> None:
        self._config = RoleAssignerConfig()
        self._scorer = RoleScorer.load(folder)
        self._jury = Jury(self._config.rule_scoring, self._config.fusion, self._config.guards, self._scorer.trust)

    def play(self, requests: list[Arrays]) -> list[Arrays]:
        sounds = [Audio(np.array(request["audio"])[None], LISTENING_RATE_HZ, "audio") for request in requests]
        frames = listen([prepare(sound, self._config.audio) for sound in sounds])
        features = [
            DSPFeatures(*map(float, request["features"])) if "features" in request else measured
            for request, measured in zip(requests, measure_frames(frames, self._config.dsp), strict=True)
        ]
        learned = self._scorer.score_frames(frames, features)
        return [
            self._answer(self._jury.decide(f, learned=ScoreVector(tuple(p))), p)
            for f, p in zip(features, learned, strict=True)
        ]

    def _answer(self, result: SampleResult, learned: NDArray[np.float32]) -> Arrays:
        return {
            "scores": np.array(result.scores.final.values, np.float32),
            "role": np.array([ROLES.index(result.role)], np.int32),
            "confidence": np.array([result.scores.confidence], np.float32),
            "learned": np.array(learned, np.float32),
            "trust": self._scorer.trust.as_array(),
        }


class TritonPythonModel(Backend):
    contract = wire.ROLES

    def open_player(self, folder: Path) -> RolesPlayer:
        return RolesPlayer(folder)
