"""What a set of role samples looks like, on one page.

draw_roles("roles.png", roles)
"""

from __future__ import annotations

import os
from collections import Counter

import numpy as np

from models.jam.roles import SPLITS, Roles
from models.music.chords import KINDS
from models.music.notes import PITCH
from models.music.plots import picture

MOST = 8
"""Bars in a panel that counts names."""


def draw_roles(path: str | os.PathLike[str], roles: Roles) -> None:
    """Draw what is there, who plays how high, how fast, over which chords, and why files were left out."""
    own = [sample for sample in roles.samples if not sample.transposition]
    with picture(path, title=f"{len(own)} pieces with a lead", rows=2, columns=3, inches=(11, 6)) as axes:
        styles = [name for name, _ in Counter(sample.style for sample in own).most_common(MOST)][::-1]
        left = np.zeros(len(styles))
        for split in SPLITS:
            counts = np.array([sum((s.style, s.split) == (style, split) for s in own) for style in styles])
            axes[0, 0].barh(styles, counts, left=left, label=split)
            left = left + counts
        axes[0, 0].set(title="pieces by style")
        axes[0, 0].legend()
        for part, name in ((lambda s: s.conditioning, "band"), (lambda s: s.lead, "lead")):
            pitches = np.concatenate([part(sample).notes[:, PITCH] for sample in own])
            axes[0, 1].hist(pitches, np.arange(21, 109), density=True, histtype="step", linewidth=1.4, label=name)
        axes[0, 1].set(title="how high", xlabel="MIDI pitch")
        axes[0, 1].legend()
        axes[0, 2].hist([sample.tempo_bpm for sample in own], 40)
        axes[0, 2].set(title="how fast", xlabel="bpm")
        axes[1, 0].hist([len(sample.lead) / sample.bars for sample in own], 40)
        axes[1, 0].set(title="how dense", xlabel="lead notes a bar")
        kinds = Counter(chord.kind if chord else "none" for sample in own for _, chord in sample.chords)
        _counted(axes[1, 1], "over which chords", {kind: kinds[kind] for kind in [*KINDS, "none"]})
        _counted(axes[1, 2], "left out, and why", dict(Counter(roles.summary["left_out"]).most_common(MOST)))


def _counted(axis, title: str, counts: dict[str, int]) -> None:
    axis.barh(list(counts)[::-1], list(counts.values())[::-1])
    axis.set(title=title if counts else f"{title}: nothing")
