"""What the stages of the roles compose: sample packs with practice sounds beside them, and pictures of a result.

bring_one_shots("my-samples.zip", "one-shots", practice_sounds=40, seed=0)
show_roles(assigned)
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from backstage.tracking import log_metrics, log_picture
from models.drums.roles.files import Assigned
from models.drums.roles.learned.dataset import PRACTICE
from models.drums.roles.report import draw_scatter
from models.practice.one_shots import write_one_shots

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

        digest = bring(source, target)[:12]
    write_one_shots(target / PRACTICE, practice_sounds, seed)
    return digest


def show_roles(assigned: Assigned) -> None:
    """Log how many samples each pool has, and where the samples lie."""
    log_metrics({f"{role} samples": count for role, count in assigned.pools.counts.items()})
    with tempfile.TemporaryDirectory() as there:
        draw_scatter(Path(there, "roles.png"), assigned.results)
        log_picture("roles", Path(there, "roles.png"))
