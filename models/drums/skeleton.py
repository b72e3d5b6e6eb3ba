"""A skeleton beat from a kit: four on the floor, a backbeat, moving hats and now and then a fill.

    beat = make_skeleton(read_kit("pools_1.json"), SkeletonPlan(bpm=96))

What plays where, a bar being 16 steps:
- CORE {0, 4, 8, 12} and ACCENT {4, 12} in every bar.
- MOTION has four anchors and four extras; motion_keep of the eight play, anchors first, extras drawn by the seed.
  Mode A rides the eighths: anchors {0, 4, 8, 12}, extras {2, 6, 10, 14}.
  Mode B pushes off the beat: anchors {2, 6, 10, 14}, extras are the sixteenths after them {3, 7, 11, 15}.
- FILL {12, 13, 14, 15} on the last bar of every four, the whole fill or none, with probability fill_prob.
- TEXTURE at the very beginning, 16 steps long.
At most three voices share a step: CORE > ACCENT > FILL > MOTION > TEXTURE.

Every role has its own stream of randomness, so a dial of one role never changes another. A role's main sample is
drawn by confidence and stays; the second one answers rarely, where a drummer would vary.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.drums.events import ROLES, Beat, Event, Role
from models.drums.kit import Kit, Piece
from models.music.errors import BadConfig
from models.music.grid import Grid

MAX_VOICES = 3
CORE_STEPS, ACCENT_STEPS, FILL_STEPS = (0, 4, 8, 12), (4, 12), (12, 13, 14, 15)
MOTION_STEPS = {"A": ((0, 4, 8, 12), (2, 6, 10, 14)), "B": ((2, 6, 10, 14), (3, 7, 11, 15))}
FILL_EVERY_BARS = 4
TEXTURE_LENGTH_STEPS = 16
VARY_PROBABILITY = 0.25


@dataclass(frozen=True)
class SkeletonPlan:
    """How a skeleton is laid out."""

    bpm: float
    """Tempo in quarters a minute."""
    bars: int = 4
    seed: int = 42
    """The same seed and kit give the same beat."""
    motion_mode: Literal["A", "B"] = "A"
    """A: eighths; B: off the beat."""
    motion_keep: int = 6
    """MOTION hits in a bar, 4 to 8."""
    fill_prob: float = 0.25
    """How likely the last bar of every four ends in a fill."""
    texture: int = 1
    """1 lays a TEXTURE under the first bar, 0 leaves it out."""

    def __post_init__(self) -> None:
        Grid(self.bpm, self.bars)
        if self.seed < 0:
            raise BadConfig(f"seed is {self.seed}; give 0 or above.")
        if self.motion_mode not in MOTION_STEPS:
            raise BadConfig(f"motion_mode is {self.motion_mode!r}; give A (eighths) or B (off the beat).")
        if not 4 <= self.motion_keep <= 8:
            raise BadConfig(f"motion_keep is {self.motion_keep}; give 4 to 8 hits a bar (try 6).")
        if not 0 <= self.fill_prob <= 1:
            raise BadConfig(f"fill_prob is {self.fill_prob:g}; give 0 to 1 (try 0.25).")
        if self.texture not in (0, 1):
            raise BadConfig(f"texture is {self.texture}; give 0 or 1.")


def make_skeleton(kit: Kit, plan: SkeletonPlan) -> Beat:
    """Lay out a beat; a role without samples stays silent."""
    players = {"CORE": _core, "ACCENT": _accent, "FILL": _fill, "MOTION": _motion, "TEXTURE": _texture}
    streams = dict(zip(ROLES, np.random.default_rng(plan.seed).spawn(len(ROLES)), strict=True))
    events = []
    for role in ROLES:
        pieces = _by_luck(kit.pool(role), streams[role])
        if pieces:
            events += players[role](pieces, plan, streams[role])
    return Beat(Grid(plan.bpm, plan.bars), tuple(_thinned(events)), "skeleton")


def chosen_samples(beat: Beat) -> dict[Role, list[str]]:
    """Name the samples of each role a beat uses, in order of appearance."""
    return {role: list(dict.fromkeys(e.sample_id for e in beat.events if e.role == role)) for role in ROLES}


def _by_luck(pool: tuple[Piece, ...], stream: np.random.Generator) -> list[Piece]:
    """Order a pool by a draw in which confidence is the odds: the first is the role's main sample."""
    odds = np.array([max(piece.confidence, 0.0) + 0.02 for piece in pool])
    order = stream.choice(len(pool), len(pool), replace=False, p=odds / odds.sum()) if pool else []
    return [pool[number] for number in order]


def _second(pieces: list[Piece], stream: np.random.Generator, probability: float) -> Piece:
    """Give the role's second sample now and then, otherwise its main one."""
    vary = stream.random() < probability
    return pieces[1] if vary and len(pieces) > 1 else pieces[0]


def _core(pieces: list[Piece], plan: SkeletonPlan, stream: np.random.Generator) -> Iterator[Event]:
    """The main kick throughout: the floor does not move."""
    del stream
    velocities = {0: 0.95, 4: 0.85, 8: 0.9, 12: 0.85}
    for bar in range(plan.bars):
        for step in CORE_STEPS:
            yield Event(bar, step, "CORE", pieces[0].sample_id, velocities[step])


def _accent(pieces: list[Piece], plan: SkeletonPlan, stream: np.random.Generator) -> Iterator[Event]:
    """The main snare; the very last backbeat of four bars may answer with another one."""
    for bar in range(plan.bars):
        answer = _second(pieces, stream, VARY_PROBABILITY if _ends_a_phrase(bar) else 0.0)
        yield Event(bar, 4, "ACCENT", pieces[0].sample_id, 0.88)
        yield Event(bar, 12, "ACCENT", answer.sample_id, 0.92)


def _motion(pieces: list[Piece], plan: SkeletonPlan, stream: np.random.Generator) -> Iterator[Event]:
    """One pattern for the whole loop; its last hit opens up every second bar or so."""
    anchors, extras = MOTION_STEPS[plan.motion_mode]
    drawn = stream.choice(extras, plan.motion_keep - len(anchors), replace=False).tolist()
    pattern = sorted([*anchors, *drawn])
    for bar in range(plan.bars):
        opening = _second(pieces, stream, 2 * VARY_PROBABILITY if bar % 2 else 0.0)
        for step in pattern:
            piece = opening if step == pattern[-1] else pieces[0]
            velocity = 0.7 if step % 4 == 0 else 0.58 if step % 2 == 0 else 0.45
            yield Event(bar, step, "MOTION", piece.sample_id, velocity)


def _fill(pieces: list[Piece], plan: SkeletonPlan, stream: np.random.Generator) -> Iterator[Event]:
    """Four sixteenths that grow, walking through up to four samples."""
    for bar in filter(_ends_a_phrase, range(plan.bars)):
        if stream.random() < plan.fill_prob:
            walk = [pieces[number * min(4, len(pieces)) // 4] for number in range(4)]
            for number, (step, piece) in enumerate(zip(FILL_STEPS, walk, strict=True)):
                yield Event(bar, step, "FILL", piece.sample_id, round(0.6 + 0.1 * number, 2))


def _texture(pieces: list[Piece], plan: SkeletonPlan, stream: np.random.Generator) -> Iterator[Event]:
    del stream
    if plan.texture:
        yield Event(0, 0, "TEXTURE", pieces[0].sample_id, 0.5, TEXTURE_LENGTH_STEPS)


def _ends_a_phrase(bar: int) -> bool:
    return bar % FILL_EVERY_BARS == FILL_EVERY_BARS - 1


def _thinned(events: list[Event]) -> list[Event]:
    """Keep at most three voices a step; events arrive in order of priority."""
    voices: dict[tuple[int, int], int] = {}
    kept = []
    for event in events:
        place = event.bar, event.step
        voices[place] = voices.get(place, 0) + 1
        if voices[place] <= MAX_VOICES:
            kept.append(event)
    return kept
