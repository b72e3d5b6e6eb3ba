"""Keep one of every drum: the cleanest hit of each group of alike ones, knowing what it stands for.

    kept = dedupe(hits)
    kept[0].places          # every place it was heard at, its own first
    kept[0].why             # "cleanest of 5: not clipped, tail whole, 61 dB over what rang before"

Fingerprints (cosine above 0.98) only propose; a closer look decides: the aligned waves are the same recording, or, unless
only copies are wanted, the spectrograms differ by less than 3 dB, as those of one drum struck again do. Every hit is
compared with the kept one it joins, never through a chain of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.drums.fingerprint import CloseLook, close_look, distance_db, fingerprints, likeness
from models.drums.slicing import Hit
from models.music.errors import BadConfig


@dataclass(frozen=True)
class DedupeConfig:
    """When two hits are one."""

    cosine: float = 0.98
    """Fingerprints closer than this are looked at closely; 1 keeps every hit."""
    merge: Literal["alike", "copies"] = "alike"
    """alike: also other strokes of the same drum; copies: only the same recording, so that round robins stay."""
    likeness: float = 0.9
    """Correlation of the aligned waves that makes two hits copies."""
    distance_db: float = 3.0
    """Mean difference of the spectrograms below which two hits are alike."""

    def __post_init__(self) -> None:
        for name, high in (("cosine", 1.0), ("likeness", 1.0), ("distance_db", 60.0)):
            if not 0 <= getattr(self, name) <= high:
                raise BadConfig(f"dedupe: {name} is {getattr(self, name)}; give 0 to {high:g}.")
        if self.merge not in ("alike", "copies"):
            raise BadConfig(f"dedupe: merge is {self.merge!r}; give 'alike' or 'copies'.")


class Place(NamedTuple):
    """Where a hit was heard."""

    source: str
    start_s: float


@dataclass(frozen=True)
class KeptHit:
    """A hit that stands for a group."""

    hit: Hit
    look: CloseLook
    places: tuple[Place, ...]
    """Its own first, then those it stands for."""
    why: str


def dedupe(hits: Sequence[Hit], config: DedupeConfig | None = None) -> list[KeptHit]:
    """Group alike hits and keep the cleanest of each group, in order of where they were heard first."""
    return regroup([KeptHit(hit, close_look(hit.audio), (Place(hit.source, hit.start_s),), "") for hit in hits], config)


def regroup(groups: Sequence[KeptHit], config: DedupeConfig | None = None) -> list[KeptHit]:
    """Join groups whose kept hits are one drum: what makes a long file, or many, cost no more than what is kept of them."""
    config = config or DedupeConfig()
    if not groups:
        return []
    prints = fingerprints([group.look for group in groups])
    leaders: list[int] = []
    members: dict[int, list[int]] = {}
    for index in sorted(range(len(groups)), key=lambda n: _cleanliness(groups[n].hit), reverse=True):
        leader = _leader_of(index, leaders, prints, groups, config)
        if leader is None:
            leaders.append(index)
            members[index] = [index]
        else:
            members[leader].append(index)
    kept = [_joined([groups[n] for n in members[leader]]) for leader in leaders]
    return sorted(kept, key=lambda group: group.places[0])


def _leader_of(
    index: int, leaders: list[int], prints: NDArray[np.float32], groups: Sequence[KeptHit], config: DedupeConfig
) -> int | None:
    """Find the kept hit that this one is the same as, the nearest first."""
    closeness = prints[leaders] @ prints[index] if leaders else np.zeros(0)
    for nth in np.argsort(-closeness):
        if closeness[nth] <= config.cosine:
            return None
        one, other = groups[leaders[nth]].look, groups[index].look
        if likeness(one, other) >= config.likeness:
            return leaders[nth]
        if config.merge == "alike" and distance_db(one, other) <= config.distance_db:
            return leaders[nth]
    return None


def _cleanliness(hit: Hit) -> tuple[bool, bool, int, float]:
    """Not clipped, then a whole tail, then the least noise before it (in steps of 3 dB), then the longest."""
    return hit.clipped == 0, hit.whole, round(-hit.before_db / 3), hit.audio.seconds


def _joined(group: list[KeptHit]) -> KeptHit:
    """The first is the cleanest; the others become places."""
    best = group[0]
    places = best.places[:1] + tuple(sorted({p for each in group for p in each.places} - {best.places[0]}))
    return KeptHit(best.hit, best.look, places, _why(best.hit, len(places)))


def _why(hit: Hit, count: int) -> str:
    clipped = "not clipped" if hit.clipped == 0 else f"{hit.clipped} samples clipped"
    tail = "tail whole" if hit.whole else "tail cut by what follows"
    chosen = "the only one" if count == 1 else f"cleanest of {count}"
    return f"{chosen}: {clipped}, {tail}, {-hit.before_db:.0f} dB over what rang before"
