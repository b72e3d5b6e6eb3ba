"""Role samples made and shown: how many of each split, what was left out and why, and one picture.

make_roles("piano_midi", "roles", Preparing())
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from backstage.tracking import log_metrics, log_note, log_picture
from models.jam.pictures import draw_roles
from models.jam.prepare import Preparing, prepare
from models.music.figures import Figure

FIGURES = {"minutes": Figure("music", "minutes"), "lead_notes": Figure("lead notes")}


def make_roles(midi: str, roles: str, preparing: Preparing) -> int:
    """Prepare roles and show them; count the samples."""
    made = prepare(midi, roles, preparing)
    summary = made.summary
    log_metrics({f"{split} samples": count for split, count in summary["samples"].items()})
    log_metrics({name: summary[name] for name in FIGURES}, figures=FIGURES)
    if summary["left_out"]:
        told = ", ".join(f"{count} {reason}" for reason, count in summary["left_out"].items())
        log_note(f"{sum(summary['left_out'].values())} files left out: {told}. summary.json names them.")
    with tempfile.TemporaryDirectory() as there:
        draw_roles(page := Path(there, "roles.png"), made)
        log_picture("role samples", page)
    return sum(summary["samples"].values())
