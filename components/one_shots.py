"""What the stages of the roles compose: sample packs with practice sounds beside them, a learned voice, pictures.

bring_one_shots("my-samples.zip", "one-shots", practice_sounds=40, seed=0)
assign_folder(hits, out, learned=learned_voice(open_voice("roles", "champion", where)))
show_roles(assigned)
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backstage.tracking import log_metrics, log_picture
from models.drums.roles.assigner import LearnedVoice
from models.drums.roles.files import Assigned
from models.drums.roles.learned.dataset import PRACTICE, find_labelled
from models.drums.roles.learned.scorer import RoleScorer
from models.drums.roles.listening import Frames
from models.drums.roles.report import draw_scatter
from models.drums.roles.trust import Trust
from models.drums.roles.types import DSPFeatures
from models.practice.one_shots import write_library, write_one_shots
from serving.asker import Asker
from serving.contracts.roles import ROLES, roles
from serving.voices import Voice

PACKS, PACK_SOUNDS = 4, 6


def bring_one_shots(source: str, target: str | Path, practice_sounds: int, seed: int) -> str:
    """Bring sample packs to a folder, and synthesised sounds as one more maker; return a digest of the given ones."""
    target = Path(target)
    if source == "practice":
        for number in range(1, PACKS + 1):
            write_one_shots(target / f"pack_{number}", PACK_SOUNDS, seed + number)
        digest = f"practice {seed}"
    else:
        from backstage.storage import bring

        digest = bring(source, target, find_labelled)[:12]
    write_library(target / PRACTICE, practice_sounds, seed)
    return digest


class AskedScorer:
    """The learned scorer of a served model, asked sound by sound."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self.trust = Trust.from_array(roles(asker, ROLES.canary_request()["audio"]).trust)

    def score_frames(self, frames: Frames, features: Sequence[DSPFeatures]) -> NDArray[np.float32]:
        """float32[n, 5]: what the server's scorer says of clips that were measured here."""
        heard = zip(frames.clips(), features, strict=True)
        return np.stack([roles(self._asker, clip, measured.as_array()).learned for clip, measured in heard])


def learned_voice(voice: Voice) -> LearnedVoice:
    """The scorer of a voice: loaded where it plays in this process, asked for where a server does."""
    return RoleScorer.load(voice.folder) if voice.folder else AskedScorer(voice.asker)


def show_roles(assigned: Assigned) -> None:
    """Log how many samples each pool has, and where the samples lie."""
    log_metrics({f"{role} samples": count for role, count in assigned.pools.counts.items()})
    with tempfile.TemporaryDirectory() as there:
        draw_scatter(Path(there, "roles.png"), assigned.results)
        log_picture("roles", Path(there, "roles.png"))
