"""A beat to look at: the drum grid, and what a player's feel did to it.

draw_beat("grid.png", beat)
draw_feel("feel.png", before, after)
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from models.drums.events import ROLES, Beat, Event, Role
from models.music.plots import COLOURS, INK, picture

COLOUR: dict[Role, str] = dict(zip(ROLES, COLOURS, strict=False))
BARS_A_LINE, MAX_LINES = 4, 4
_BAND, _BAR, _BEAT, _FAINT = "#f6f7f9", "#9aa3af", "#e3e6ea", "#b5bcc6"


def draw_beat(path: str | os.PathLike[str], beat: Beat, *, title: str = "Beat") -> None:
    """Draw who plays when: a row for each sample, a dot for each hit, as large as it is loud and where it really sounds."""
    rows = sorted({(ROLES.index(e.role), e.sample_id) for e in beat.events})
    lines = min(MAX_LINES, -(-beat.grid.bars // BARS_A_LINE))
    shown = min(beat.grid.bars, lines * BARS_A_LINE)
    more = "" if shown == beat.grid.bars else f", the first {shown} of {beat.grid.bars} bars"
    title = f"{title}: {beat.grid.tempo_bpm:g} bpm, {len(beat)} hits{more}"
    inches = (11.0, 0.55 + lines * (0.5 + 0.3 * len(rows)))
    with picture(path, title=title, rows=lines, inches=inches) as drawn:
        for line, axes in enumerate(np.atleast_1d(drawn)):
            first = line * BARS_A_LINE
            _rule(axes, beat, first, min(BARS_A_LINE, beat.grid.bars), len(rows))
            axes.set_yticks(range(len(rows)), [_label(*row) for row in rows], fontsize=7.5)
            for label, (role, _) in zip(axes.get_yticklabels(), rows, strict=True):
                label.set_color(COLOUR[ROLES[role]])
            for event in beat.events:
                if first <= event.bar < first + BARS_A_LINE:
                    _dot(axes, beat, event, first, rows.index((ROLES.index(event.role), event.sample_id)))


def draw_feel(path: str | os.PathLike[str], before: Beat, after: Beat, *, title: str = "Feel") -> None:
    """Draw how far off the grid and how loud each hit is, before (grey) and after (coloured)."""
    bars = min(after.grid.bars, BARS_A_LINE)
    reach = max([10.0, *(abs(e.micro_offset_ms) for e in (*before.events, *after.events))]) * 1.15
    with picture(path, rows=2, inches=(11.0, 5.2)) as (timing, loudness):
        timing.set_title(_told(title, after))
        for axes in (timing, loudness):
            _rule(axes, after, 0, bars, 0)
        for place, role in enumerate(ROLES[:-1]):  # side by side within their step
            played = [e for e in after.events if e.role == role and e.bar < bars]
            plain = [e for e in before.events if e.role == role and e.bar < bars]
            for told, colour, mark in ((plain, _FAINT, "_"), (played, COLOUR[role], "o")):
                steps = np.array([_step(after, e) + 0.2 * (place - 1.5) for e in told])
                vels = [e.vel for e in told]
                label = role if told is played and played else None
                timing.plot(
                    steps, [e.micro_offset_ms for e in told], mark, ms=5.5, color=colour, alpha=0.9, label=label
                )
                loudness.plot(steps, vels, mark, ms=5.5, color=colour, alpha=0.9)
                if told is played:
                    loudness.vlines(steps, 0, vels, color=colour, alpha=0.4, lw=1.4)
        timing.plot([], [], "_", ms=5.5, color=_FAINT, label="before")
        timing.set(ylim=(-reach, reach), ylabel="early  ←  ms  →  late")
        loudness.set(ylim=(0, 1.05), ylabel="velocity")
        timing.legend(loc="upper left", bbox_to_anchor=(1.005, 1.0), handletextpad=0.3)


def _told(title: str, after: Beat) -> str:
    moved = [e for e in after.events if e.role != "TEXTURE"]
    offsets = np.array([e.micro_offset_ms for e in moved] or [0.0])
    loudness = np.array([e.vel for e in moved] or [0.0])
    return f"{title}: {offsets.mean():+.1f} ± {offsets.std():.1f} ms off the grid, velocity {loudness.mean():.2f} ± {loudness.std():.2f}"


def _rule(axes: Any, beat: Beat, first: int, bars: int, rows: int) -> None:
    """Rule the paper: a line for each beat, a stronger one for each bar, a band behind every second row."""
    per_bar = beat.grid.steps_per_bar
    for row in range(0, rows, 2):
        axes.axhspan(row - 0.5, row + 0.5, color=_BAND, zorder=0)
    for step in range(0, bars * per_bar + 1, 4):
        strong = step % per_bar == 0
        axes.axvline(step, color=_BAR if strong else _BEAT, lw=1.1 if strong else 0.8, zorder=0.5)
    axes.set_xticks(
        [bar * per_bar for bar in range(bars)], [f"bar {first + bar + 1}" for bar in range(bars)], ha="left"
    )
    axes.set_xlim(-1.0, bars * per_bar)
    if rows:
        axes.set_ylim(-0.6, rows - 0.4)
        axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(length=0)


def _dot(axes: Any, beat: Beat, event: Event, first: int, row: int) -> None:
    step = _step(beat, event) - first * beat.grid.steps_per_bar
    off = event.micro_offset_ms / 1000 / beat.grid.step_seconds
    colour = COLOUR[event.role]
    if event.role == "TEXTURE":
        axes.plot(
            [step, step + event.dur_steps], [row, row], color=colour, lw=5, alpha=0.35, solid_capstyle="round", zorder=1
        )
    axes.scatter([step], [row], s=6, color=_FAINT, zorder=1.5, linewidths=0)
    axes.scatter(
        [step + off],
        [row],
        s=12 + 120 * event.vel**1.5,
        color=colour,
        alpha=0.9,
        zorder=2,
        edgecolors=INK,
        linewidths=0.3,
    )


def _label(role: int, sample_id: str) -> str:
    return f"{ROLES[role]}  {sample_id}"


def _step(beat: Beat, event: Event) -> int:
    return event.bar * beat.grid.steps_per_bar + event.step
