"""Read what a stage left: its record, its proof of success, or the cause of its failure.

record = Record(task_folder / "record")
record.done        {"seconds": 3.1, "number": ["notes", 52]}, or None when it never finished
record.cause       one line, or None
record.entries()   the journal: metrics, pictures, sounds, in the order they were logged
record.figures()   what its metrics are called; record.beside() what they are compared with
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any

from backstage.tracking import JOURNAL
from models.music.figures import Figure

FOLDER, DONE, CAUSE = "record", "done.json", "cause.txt"


@dataclasses.dataclass(frozen=True)
class Record:
    """The folder a stage logs to."""

    folder: Path

    def entries(self, start: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Return the journal's whole lines from a byte position, and the position after them."""
        try:
            with open(self.folder / JOURNAL, "rb") as journal:
                journal.seek(start)
                raw = journal.read()
        except OSError:
            return [], start
        whole = raw[: raw.rfind(b"\n") + 1]
        entries = []
        for line in whole.splitlines():
            with contextlib.suppress(ValueError):
                entries.append(json.loads(line))
        return entries, start + len(whole)

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [entry for entry in self.entries()[0] if entry["kind"] == kind]

    def metrics(self) -> dict[str, float]:
        """Return the last value of every metric, in the order they first appeared."""
        latest: dict[str, float] = {}
        for entry in self.of_kind("metrics"):
            latest.update(entry["values"])
        return latest

    def figures(self) -> dict[str, Figure]:
        """Return what the stage declared of its metrics, in the order of the declaration."""
        return {name: Figure(**told) for entry in self.of_kind("figures") for name, told in entry["values"].items()}

    def beside(self) -> dict[str, dict[str, float]]:
        """Return the last figures of everybody the metrics are compared with."""
        return {entry["who"]: entry["values"] for entry in self.of_kind("beside")}

    @property
    def done(self) -> dict[str, Any] | None:
        with contextlib.suppress(OSError, ValueError):
            return json.loads((self.folder / DONE).read_text(encoding="utf-8"))
        return None

    @property
    def cause(self) -> str | None:
        with contextlib.suppress(OSError):
            return (self.folder / CAUSE).read_text(encoding="utf-8").strip() or None
        return None
