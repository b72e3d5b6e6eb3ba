"""A beat: events on a grid of steps, and the two JSON files that carry it.

    beat = read_beat("grid_1.json", "event_grid_1.json")
    write_grid("grid_2.json", beat.grid);  write_events("event_grid_2.json", beat)

Users' tools read these files, so their fields are fixed: `grid_N.json` is GridFile, `event_grid_N.json` a list of Event.
A positive micro_offset_ms is late, a negative one early.
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.music.config import from_mapping, nearest
from models.music.errors import BadInput
from models.music.files import read_json, write_json
from models.music.grid import TICKS_PER_STEP, Grid
from models.music.plain import shown

Role = Literal["CORE", "ACCENT", "FILL", "MOTION", "TEXTURE"]
ROLES: tuple[Role, ...] = ("CORE", "ACCENT", "FILL", "MOTION", "TEXTURE")
"""In order of priority: who keeps a step when it is crowded."""
MAX_OFFSET_MS = 2_000.0
MAX_EVENTS = 1 << 16
MAX_STEPS = 1 << 18
_TIME_TOLERANCE_S = 1e-3


@dataclass(frozen=True)
class Event:
    """One hit: what sounds, where on the grid, how loud and how far off it."""

    bar: int
    """Counted from 0."""
    step: int
    """A sixteenth within the bar, counted from 0."""
    role: Role
    sample_id: str
    """Names a sample of the pools file; never a path."""
    vel: float
    """0 to 1."""
    dur_steps: int = 1
    """How long the note lasts; drums ring on, only a TEXTURE is faded out at its end."""
    micro_offset_ms: float = 0.0
    """How much later than its step it sounds; negative is early."""
    source: str = "skeleton"
    """Who wrote it: skeleton, groovae, user_edit, midi."""

    def __post_init__(self) -> None:
        problem = _problem_of(self)
        if problem:
            raise BadInput(f"bar {self.bar}, step {self.step}: {problem}.")


@dataclass(frozen=True)
class Beat:
    """A grid and its events, in order of time, then of priority; never empty, never outside the grid."""

    grid: Grid
    events: tuple[Event, ...]
    label: str = "beat"
    """What messages call it: usually the file's name."""

    def __post_init__(self) -> None:
        if not self.events:
            raise BadInput(f"{self.label}: 0 events, need 1. Set one with `jamflow edit set`, or make a skeleton.")
        for event in self.events:
            if event.bar >= self.grid.bars:
                raise BadInput(f"{self.label}: bar is {event.bar}; the grid has {self.grid.bars} bars, counted from 0.")
            if event.step >= self.grid.steps_per_bar:
                raise BadInput(
                    f"{self.label}: step is {event.step}; a bar has {self.grid.steps_per_bar} steps, counted from 0."
                )
        in_order = sorted(self.events, key=_place)
        object.__setattr__(self, "events", tuple(in_order))

    def __len__(self) -> int:
        return len(self.events)

    def with_events(self, events: list[Event] | tuple[Event, ...]) -> Beat:
        return dataclasses.replace(self, events=tuple(events))

    def step_ticks(self) -> NDArray[np.int64]:
        """Where each event's step lies, in ticks from the beginning."""
        return np.array([self.grid.tick_of(event.bar, event.step) for event in self.events], np.int64)

    def onset_seconds(self) -> NDArray[np.float64]:
        """When each event sounds; below 0 for an early hit on the very first step."""
        steps = self.step_ticks() / TICKS_PER_STEP
        offsets_ms = np.array([event.micro_offset_ms for event in self.events])
        return steps * self.grid.step_seconds + offsets_ms / 1000


@dataclass(frozen=True)
class GridFile:
    """What `grid_N.json` holds: a grid, and every time that follows from it in seconds."""

    bpm: float
    meter: str
    """Such as 4/4."""
    steps_per_bar: int
    num_bars: int
    tbeat: float
    """Length of a beat, the meter's lower number."""
    tbar: float
    tstep: float
    bar_start: tuple[float, ...]
    """Start of every bar."""
    t_step: tuple[tuple[float, ...], ...]
    """Time of every step: t_step[bar][step]."""

    @classmethod
    def of(cls, grid: Grid) -> GridFile:
        steps = range(grid.steps_per_bar)
        starts = [bar * grid.bar_seconds for bar in range(grid.bars)]
        return cls(
            bpm=float(grid.tempo_bpm),
            meter=f"{grid.meter[0]}/{grid.meter[1]}",
            steps_per_bar=grid.steps_per_bar,
            num_bars=grid.bars,
            tbeat=grid.bar_seconds / grid.meter[0],
            tbar=grid.bar_seconds,
            tstep=grid.step_seconds,
            bar_start=tuple(_rounded(start) for start in starts),
            t_step=tuple(tuple(_rounded(start + step * grid.step_seconds) for step in steps) for start in starts),
        )

    def grid(self, label: str) -> Grid:
        """Give the grid after checking that the file's times are the ones its bpm and meter ask for."""
        meter = re.fullmatch(r"(\d{1,2})/(\d{1,2})", self.meter)
        if meter is None:
            raise BadInput(f"{label}: meter is {self.meter!r}; give one such as 4/4.")
        grid = Grid(self.bpm, self.num_bars, (int(meter[1]), int(meter[2])))
        right = GridFile.of(grid)
        for field in dataclasses.fields(self):
            found, wanted = getattr(self, field.name), getattr(right, field.name)
            if not _agree(found, wanted):
                raise BadInput(
                    f"{label}: {field.name} does not follow from bpm {self.bpm:g} and {self.meter}. Make the grid again."
                )
        return grid


def read_grid(path: str | os.PathLike[str]) -> Grid:
    path = Path(path)
    mapping = read_json(path)
    if not isinstance(mapping, dict):
        raise BadInput(f"{path.name}: holds {type(mapping).__name__}; a grid is a mapping that begins with bpm.")
    if isinstance(meter := mapping.get("meter"), list) and len(meter) == 2:
        mapping = {**mapping, "meter": f"{meter[0]}/{meter[1]}"}
    return from_mapping(GridFile, mapping, path.name).grid(path.name)


def write_grid(path: str | os.PathLike[str], grid: Grid) -> Path:
    return write_json(path, dataclasses.asdict(GridFile.of(grid)))


def read_events(path: str | os.PathLike[str]) -> list[Event]:
    """Read the rows of an event grid; the first row that cannot be used is named."""
    path = Path(path)
    rows = read_json(path)
    if not isinstance(rows, list):
        raise BadInput(f"{path.name}: holds {type(rows).__name__}; an event grid is a list of events.")
    if len(rows) > MAX_EVENTS:
        raise BadInput(f"{path.name}: {len(rows)} events; at most {MAX_EVENTS} are read. Cut it into parts.")
    return [as_event(row, f"{path.name}: event {number}") for number, row in enumerate(rows)]


def write_events(path: str | os.PathLike[str], beat: Beat) -> Path:
    return write_json(path, as_rows(beat))


def read_beat(grid_json: str | os.PathLike[str], events_json: str | os.PathLike[str]) -> Beat:
    return Beat(read_grid(grid_json), tuple(read_events(events_json)), Path(events_json).name)


def as_rows(beat: Beat) -> list[dict[str, Any]]:
    return [dataclasses.asdict(event) for event in beat.events]


def as_event(row: Any, where: str) -> Event:
    """Check one row of an event grid: the right fields, each of its type and in its range."""
    if not isinstance(row, dict):
        raise BadInput(f"{where} is {type(row).__name__}; a mapping with bar, step, role, … is needed.")
    for name in row:
        if name not in _FIELDS:
            raise BadInput(f"{where}: unknown field {shown(name)}; {nearest(shown(name), _FIELDS)}.")
    for name, field in _FIELDS.items():
        if name not in row and field.default is dataclasses.MISSING:
            raise BadInput(f"{where}: no {name}. Add it, or make the event grid again.")
    values: dict[str, Any] = {
        name: float(row[name]) if _FIELDS[name].type == "float" and type(row[name]) is int else row[name]
        for name in row
    }
    try:
        return Event(**values)
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from error


_FIELDS = {field.name: field for field in dataclasses.fields(Event)}


def _problem_of(event: Event) -> str | None:
    """Say what is wrong with an event's own values, if anything."""
    for name, low in (("bar", 0), ("step", 0), ("dur_steps", 1)):
        value = getattr(event, name)
        if type(value) is not int or not low <= value <= MAX_STEPS:
            return f"{name} is {shown(value)}; a whole number from {low} to {MAX_STEPS} is needed"
    if event.role not in ROLES:
        return f"role is {shown(event.role)}; {nearest(shown(event.role), ROLES)}"
    if not isinstance(event.sample_id, str) or not 1 <= len(event.sample_id) <= 200:
        return f"sample_id is {shown(event.sample_id)}; the name of a sample in the pools file is needed"
    if not _is_number(event.vel) or not 0 <= event.vel <= 1:
        return f"vel is {shown(event.vel)}; give 0 to 1"
    if not _is_number(event.micro_offset_ms) or abs(event.micro_offset_ms) > MAX_OFFSET_MS:
        return f"micro_offset_ms is {shown(event.micro_offset_ms)}; give -{MAX_OFFSET_MS:g} to {MAX_OFFSET_MS:g}"
    if not isinstance(event.source, str):
        return f"source is {shown(event.source)}; a word is needed"
    return None


def _place(event: Event) -> tuple[int, int, int, float, str]:
    """Order events; the same events always make the same file."""
    return event.bar, event.step, ROLES.index(event.role), event.micro_offset_ms, event.sample_id


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf


def _rounded(seconds: float) -> float:
    return round(seconds, 9)


def _agree(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, tuple):
        return len(found) == len(wanted) and all(map(_agree, found, wanted))
    return abs(found - wanted) <= _TIME_TOLERANCE_S if isinstance(wanted, float) else found == wanted
