"""A beat as a General-MIDI drum file and back, losing nothing.

    write_beat_midi("render_1.mid", beat, kit)
    beat = read_beat_midi("render_1.mid")              # exactly the beat that was written
    beat = read_beat_midi("from_elsewhere.mid", kit)   # any drum MIDI, on the kit's samples

Notes carry key, velocity, time and length, so any instrument plays the file. What notes cannot say travels in text
events: one `jamflow grid {…}`, and before each note one `jamflow event KEY {…}`, the row of the event grid. A row
counts as long as its note (and the tempo) is as it was written. A note that was moved, added or struck harder in
another program is read as it stands: the nearest step, the rest as micro-offset, the sample its key has elsewhere in
the file, or in the kit. A note that was deleted takes its row with it.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.drums.events import MAX_OFFSET_MS, Beat, Event, Role, as_event
from models.drums.kit import Kit, role_of_key
from models.music.config import from_mapping
from models.music.errors import BadInput, BadMidi
from models.music.grid import TICKS_PER_STEP, Grid
from models.music.midi import read_midi, read_texts, write_midi
from models.music.notes import DURATION, ONSET, PITCH, TICKS_PER_QUARTER, Take
from models.music.plain import parse_json, reason, shown

GRID_TEXT, EVENT_TEXT = "jamflow grid ", "jamflow event "
TEMPO_TOLERANCE_BPM = 0.01  # MIDI keeps whole microseconds a quarter


def write_beat_midi(path: str | os.PathLike[str], beat: Beat, kit: Kit) -> Path:
    """Write a beat on channel 10, with its rows beside its notes."""
    keys = [kit.piece(event.sample_id).key for event in beat.events]
    notes = beat_notes(beat, keys)
    grid = {"bpm": beat.grid.tempo_bpm, "meter": list(beat.grid.meter), "num_bars": beat.grid.bars}
    texts = [(0, GRID_TEXT + json.dumps(grid))]
    for event, key, onset in zip(beat.events, keys, notes[:, ONSET].tolist(), strict=True):
        texts.append((onset, f"{EVENT_TEXT}{key} {json.dumps(asdict(event))}"))
    in_order = notes[np.lexsort((notes[:, DURATION], notes[:, PITCH], notes[:, ONSET]))]
    return write_midi(path, Take(in_order, beat.grid.tempo_bpm, beat.grid.meter, beat.label), drums=True, texts=texts)


def read_beat_midi(path: str | os.PathLike[str], kit: Kit | None = None) -> Beat:
    """Read a beat from a MIDI file; without a kit, samples of unknown keys are called gm_036 and so on."""
    path = Path(path)
    take = read_midi(path, drums=True)
    written = _Written.read(path)
    names = dict(zip(written.keys, written.events, strict=True)) if written else {}
    if (
        written is None
        or abs(written.grid.tempo_bpm - take.tempo_bpm) > TEMPO_TOLERANCE_BPM
        or written.grid.meter != take.meter
    ):
        bars = max(take.bars, written.grid.bars) if written else take.bars
        grid, kept, loose = Grid(take.tempo_bpm, bars, take.meter), [], take.notes
    else:
        kept, loose = written.split(take.notes)
        added_bars = take.with_notes(loose).bars if len(loose) else 0  # a late hit of the grid's own adds no bar
        grid = Grid(written.grid.tempo_bpm, max(added_bars, written.grid.bars), take.meter)

    def voice(key: int) -> tuple[Role, str]:
        if key in names:
            return names[key].role, names[key].sample_id
        if kit is not None:
            return role_of_key(key), kit.at_key(key).sample_id
        return role_of_key(key), f"gm_{key:03d}"

    return Beat(grid, (*kept, *events_from_notes(loose, grid, voice, source="midi")), path.name)


def beat_notes(beat: Beat, keys: Sequence[int]) -> NDArray[np.int32]:
    """Give the beat's notes, row i for event i; a note ends no later than the next one of its key begins."""
    offsets_ms = np.array([event.micro_offset_ms for event in beat.events])
    offsets = np.rint(offsets_ms / 1000 * beat.grid.tempo_bpm / 60 * TICKS_PER_QUARTER).astype(np.int64)
    onsets = np.maximum(0, beat.step_ticks() + offsets)
    lengths = np.array([event.dur_steps for event in beat.events], np.int64) * TICKS_PER_STEP
    velocities = np.clip(np.rint([127 * event.vel for event in beat.events]), 1, 127)
    for key in set(keys):
        own = np.flatnonzero(np.asarray(keys) == key)
        moments = np.unique(onsets[own])
        following = np.append(moments[1:], np.iinfo(np.int32).max)[np.searchsorted(moments, onsets[own])]
        lengths[own] = np.minimum(lengths[own], following - onsets[own])
    return np.stack([np.asarray(keys), velocities, onsets, lengths], axis=1).astype(np.int32)


def events_from_notes(
    notes: NDArray[np.int32], grid: Grid, voice: Callable[[int], tuple[Role, str]], *, source: str
) -> list[Event]:
    """Read notes as events on the nearest steps, the rest as micro-offset; voice names a key's role and sample."""
    last = grid.bars * grid.steps_per_bar - 1
    events = []
    for key, velocity, onset, duration in notes.tolist():
        step = min(int(grid.nearest_step(onset)), last)
        role, sample_id = voice(key)
        events.append(
            Event(
                *divmod(step, grid.steps_per_bar),
                role=role,
                sample_id=sample_id,
                vel=round(velocity / 127, 4),
                dur_steps=max(1, round(duration / TICKS_PER_STEP)),
                micro_offset_ms=offset_ms(onset - step * TICKS_PER_STEP, grid),
                source=source,
            )
        )
    return events


def offset_ms(ticks: float, grid: Grid) -> float:
    """Turn a distance from a step into milliseconds, finer than a tick, within what an event may carry."""
    exact = float(ticks) / TICKS_PER_QUARTER * 60_000 / grid.tempo_bpm
    return round(min(max(exact, -MAX_OFFSET_MS), MAX_OFFSET_MS), 3)


@dataclass(frozen=True)
class _Head:
    """The grid's text."""

    bpm: float
    meter: tuple[int, int]
    num_bars: int


def _key(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 127):
        raise ValueError(f"key {shown(text)}")
    return int(text)


@dataclass(frozen=True)
class _Written:
    """What this program wrote into a MIDI file's texts."""

    grid: Grid
    events: tuple[Event, ...]
    keys: tuple[int, ...]

    @classmethod
    def read(cls, path: Path) -> _Written | None:
        texts = read_texts(path)
        heads = [text.removeprefix(GRID_TEXT) for text in texts if text.startswith(GRID_TEXT)]
        rows = [text.removeprefix(EVENT_TEXT).partition(" ") for text in texts if text.startswith(EVENT_TEXT)]
        if not heads or not rows:
            return None
        try:
            head = from_mapping(_Head, parse_json(heads[0], "grid"), "grid")
            grid = Grid(head.bpm, head.num_bars, head.meter)
            found = [(_key(key), as_event(parse_json(row, "event"), "event")) for key, _, row in rows]
        except (BadInput, ValueError, AttributeError) as error:
            raise BadMidi(f"{path.name}: its jamflow texts are damaged ({reason(error)}). Export it again.") from error
        beat = Beat(grid, tuple(event for _, event in found), path.name)
        key_of = {event.sample_id: key for key, event in found}
        return cls(grid, beat.events, tuple(key_of[event.sample_id] for event in beat.events))

    def split(self, notes: NDArray[np.int32]) -> tuple[list[Event], NDArray[np.int32]]:
        """Give the events whose notes are as they were written, and the notes no event speaks for."""
        unclaimed = Counter(map(tuple, notes.tolist()))
        kept = []
        for event, note in zip(self.events, beat_notes(Beat(self.grid, self.events), self.keys).tolist(), strict=True):
            if unclaimed[tuple(note)] > 0:
                unclaimed[tuple(note)] -= 1
                kept.append(event)
        return kept, np.array(list(unclaimed.elements()), np.int32).reshape(-1, 4)
