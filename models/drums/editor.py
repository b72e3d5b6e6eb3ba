"""Change a beat by hand: pure functions on a Beat, and an Editor that keeps the file and its undo history.

    beat = set_event(beat, Event(0, 4, "CORE", "dummy_00001", 0.8))

    editor = Editor("event_grid_1.json")               # grid_1.json is found beside it
    editor.apply(lambda beat: remove_events(beat, bar=0, step=4))
    editor.undo()

The history lies beside the file as `.event_grid_1.undo.json` and outlives the program. A history that belongs to
another content of the file (another program changed it) is put aside rather than applied.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from models.drums.events import ROLES, Beat, Event, as_event, read_beat, write_events
from models.music.errors import BadInput
from models.music.files import read_mapping, sha256, write_json
from models.music.locks import alone
from models.music.plain import reason

USER = "user_edit"
MAX_HISTORY = 500


def set_event(beat: Beat, event: Event) -> Beat:
    """Put an event on its step, in place of what its role played there."""
    others = [e for e in beat.events if (e.bar, e.step, e.role) != (event.bar, event.step, event.role)]
    return beat.with_events([*others, event])


def remove_events(beat: Beat, bar: int, step: int, role: str = "", sample_id: str = "") -> Beat:
    """Take the events of a step away; all of them, or those of one role or sample."""
    gone = _found(beat, bar, step, role, sample_id)
    return beat.with_events([event for event in beat.events if event not in gone])


def set_velocity(beat: Beat, bar: int, step: int, vel: float, role: str = "", sample_id: str = "") -> Beat:
    """Strike the events of a step harder or softer."""
    struck = _found(beat, bar, step, role, sample_id)
    return beat.with_events(
        [dataclasses.replace(event, vel=vel, source=USER) if event in struck else event for event in beat.events]
    )


def as_text(beat: Beat) -> str:
    """Draw a beat in letters, a line for each sample: X loud, x medium, o soft."""
    lines = [f"{beat.label}: {beat.grid.tempo_bpm:g} bpm, {beat.grid.bars} bars, {len(beat)} events"]
    voices = sorted({(ROLES.index(event.role), event.role, event.sample_id) for event in beat.events})
    width = max(len(sample_id) for _, _, sample_id in voices)
    for _, role, sample_id in voices:
        cells = [["."] * beat.grid.steps_per_bar for _ in range(beat.grid.bars)]
        for event in beat.events:
            if (event.role, event.sample_id) == (role, sample_id):
                cells[event.bar][event.step] = "X" if event.vel > 0.75 else "x" if event.vel > 0.4 else "o"
        lines.append(f"{role:<8}{sample_id:<{width}} |{'|'.join(map(''.join, cells))}|")
    return "\n".join(lines)


class Editor:
    """One event grid on disk, with undo and redo; several may be open at once, in several programs."""

    def __init__(self, events_json: str | os.PathLike[str], grid_json: str | os.PathLike[str] = "") -> None:
        self.path = Path(events_json)
        self._grid_json = grid_json or beside(self.path, "grid")
        self._history_path = self.path.with_name(f".{self.path.stem}.undo.json")
        self._read()

    def apply(self, change: Callable[[Beat], Beat]) -> Beat:
        """Change the beat as it is now, write it, and remember how to take that back."""
        with self._alone():
            after = change(self.beat)
            step = _difference(self.beat, after)
            if step["added"] or step["removed"]:
                self._done, self._undone = [*self._done, step][-MAX_HISTORY:], []
                self._write(after)
        return self.beat

    def undo(self) -> Beat:
        """Take the last change back."""
        with self._alone():
            return self._travel(self._done, self._undone, "undo", gone="added", back="removed")

    def redo(self) -> Beat:
        """Make the change last taken back again."""
        with self._alone():
            return self._travel(self._undone, self._done, "redo", gone="removed", back="added")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep others from the file, and go on from what they have made of it."""
        with alone(self.path.with_name(f".{self.path.stem}.lock")):
            self._read()
            yield

    def _travel(self, source: list, target: list, name: str, *, gone: str, back: str) -> Beat:
        if not source:
            raise BadInput(f"{self.path.name}: nothing to {name}.")
        step = source.pop()
        target.append(step)
        rest = Counter(self.beat.events) - Counter(_events(step[gone]))
        self._write(self.beat.with_events([*rest.elements(), *_events(step[back])]))
        return self.beat

    def _read(self) -> None:
        self.beat = read_beat(self._grid_json, self.path)
        self._done, self._undone = self._read_history()

    def _write(self, beat: Beat) -> None:
        write_events(self.path, beat)
        self.beat = beat
        history = {"sha256": sha256(self.path), "done": self._done, "undone": self._undone}
        write_json(self._history_path, history)

    def _read_history(self) -> tuple[list[dict], list[dict]]:
        if not self._history_path.is_file():
            return [], []
        try:
            history = read_mapping(self._history_path)
            if history["sha256"] != sha256(self.path):
                return [], []
            return _steps(history["done"]), _steps(history["undone"])
        except (BadInput, KeyError, TypeError) as error:
            raise BadInput(
                f"{self._history_path}: a damaged undo history ({reason(error)}). Remove it to go on without one."
            ) from error


def beside(events_json: str | os.PathLike[str], kind: str) -> Path:
    """Name the file of a kind that has an event grid's number: grid_3.json for event_grid_groovae_3.json."""
    path = Path(events_json)
    number = re.search(r"_(\d+)$", path.stem)
    if number is None:
        raise BadInput(f"{path.name}: has no number, so its {kind} is not known. Give it with --{kind}-json.")
    return path.with_name(f"{kind}_{number[1]}.json")


def _found(beat: Beat, bar: int, step: int, role: str, sample_id: str) -> list[Event]:
    found = [
        event
        for event in beat.events
        if (event.bar, event.step) == (bar, step) and role in ("", event.role) and sample_id in ("", event.sample_id)
    ]
    if not found:
        here = ", ".join(f"{e.role} {e.sample_id}" for e in beat.events if (e.bar, e.step) == (bar, step))
        wanted = " ".join(filter(None, [role, sample_id])) or "no event"
        raise BadInput(f"{beat.label}: {wanted} is not at bar {bar}, step {step}; there is {here or 'nothing'}.")
    return found


def _difference(before: Beat, after: Beat) -> dict[str, list[dict[str, Any]]]:
    old, new = Counter(before.events), Counter(after.events)
    return {"removed": _rows(old - new), "added": _rows(new - old)}


def _rows(events: Counter[Event]) -> list[dict[str, Any]]:
    return [dataclasses.asdict(event) for event in events.elements()]


def _steps(steps: list[dict]) -> list[dict]:
    """See that every change of a history is one that can be made and taken back."""
    for step in steps:
        for part in ("added", "removed"):
            _events(step[part])
    return list(steps)


def _events(rows: list[dict[str, Any]]) -> list[Event]:
    return [as_event(row, "undo history") for row in rows]
