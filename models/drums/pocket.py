"""Put a beat in the pocket: a groove model plays its hits, and the beat takes over velocity and timing.

    played = make_groove(beat, kit, play, seed=42)       # play: hits int32[n, 4], bars, seed -> notes int32[n, 4]

The model is an argument, so that it may be the one in this process or one behind a server. It hears every hit on its
step, as the General-MIDI key of its sample. A TEXTURE is no drum: it passes through untouched. Asked to humanise, the
model answers note for note and only velocity and timing change; asked for a variation, it answers other notes, which
the kit's samples then play.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.drums.events import Beat, Event, Role
from models.drums.kit import Kit, role_of_key
from models.drums.notation import events_from_notes, offset_ms
from models.music.errors import BadInput
from models.music.grid import TICKS_PER_STEP
from models.music.notes import ONSET, PITCH, VELOCITY

SOURCE = "groovae"
Play = Callable[[NDArray[np.int32], int, int], NDArray[np.int32]]
"""hits int32[n, 4] in order of onset and key, bars, seed -> notes int32[n, 4]."""


def make_groove(
    beat: Beat, kit: Kit, play: Play, *, seed: int = 42, timing: float = 1.0, velocity: float = 1.0
) -> Beat:
    """Humanise a beat; timing and velocity say how much of the player's feel to take, 0 none, 1 all."""
    drums, others = _parted(beat)
    hits, order = _hits_of(drums, kit)
    notes = np.asarray(play(hits, beat.grid.bars, seed))
    if len(notes) != len(hits) or not np.array_equal(notes[:, PITCH], hits[:, PITCH]):
        raise BadInput(
            f"{beat.label}: the groove model answered other notes than the {len(hits)} hits it was given. Use its humanise mode."
        )
    played = list(others)
    for number, hit, note in zip(order.tolist(), hits.tolist(), notes.tolist(), strict=True):
        event = drums.events[number]
        late_ms = offset_ms(note[ONSET] - hit[ONSET], beat.grid)
        human = note[VELOCITY] / 127
        vel = round(event.vel + velocity * (human - event.vel), 4)
        late_ms = round(event.micro_offset_ms + timing * (late_ms - event.micro_offset_ms), 3)
        played.append(dataclasses.replace(event, vel=vel, micro_offset_ms=late_ms, source=SOURCE))
    return beat.with_events(played)


def make_variation(beat: Beat, kit: Kit, play: Play, *, seed: int = 42) -> Beat:
    """Let the model play its own beat after this one; its keys find their samples in the kit."""
    drums, others = _parted(beat)
    hits, _ = _hits_of(drums, kit)
    notes = np.asarray(play(hits, beat.grid.bars, seed))

    def voice(key: int) -> tuple[Role, str]:
        piece = kit.at_key(key)
        return (role_of_key(key) if piece.role == "TEXTURE" else piece.role), piece.sample_id

    return beat.with_events([*others, *events_from_notes(notes, beat.grid, voice, source=SOURCE)])


def _parted(beat: Beat) -> tuple[Beat, list[Event]]:
    """Part the drums from what is none."""
    drums = [event for event in beat.events if event.role != "TEXTURE"]
    if not drums:
        raise BadInput(
            f"{beat.label}: 0 drum hits to play, need 1; TEXTURE does not count. Set one with `jamflow edit set`."
        )
    return beat.with_events(drums), [event for event in beat.events if event.role == "TEXTURE"]


def _hits_of(drums: Beat, kit: Kit) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Give the hits on their steps in order of onset and key, and which event each one is."""
    keys = np.array([kit.piece(event.sample_id).key for event in drums.events])
    velocities = np.clip(np.rint([127 * event.vel for event in drums.events]), 1, 127)
    onsets = drums.step_ticks()
    order = np.lexsort((keys, onsets))
    hits = np.stack([keys, velocities, onsets, np.full(len(keys), TICKS_PER_STEP)], axis=1).astype(np.int32)
    return hits[order], order
