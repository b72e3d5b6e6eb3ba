"""A pipeline run and its stages, as the screen, the report, MLflow and `jamflow status` see them.

run = PipelineRun("make-drums", "make-drums-7", stages=[StageRun("slice-hits")])
run.save(folder)                  # run.json, rewritten whole at every change
PipelineRun.load(folder)
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from backstage.record import Record
from models.music.figures import Figure, figure
from models.music.files import read_json, write_json
from models.music.locks import lives

RUN_FILE = "run.json"
State = Literal["waiting", "running", "done", "cached", "failed", "skipped"]


@dataclasses.dataclass
class StageRun:
    """One stage of a pipeline run."""

    name: str
    state: State = "waiting"
    started_s: float = 0.0
    """Wall clock (seconds since the epoch)."""
    seconds: float = 0.0
    returns: str = ""
    """What its return value is, in the words of its docstring or as the key of one of its figures."""
    number: tuple[str, Any] | None = None
    """What it came to: (name, value)."""
    unit: str = ""
    cause: str | None = None
    image: str = ""
    params: dict[str, Any] = dataclasses.field(default_factory=dict)
    record: Record | None = None

    @property
    def finished(self) -> bool:
        return self.state in ("done", "cached", "failed", "skipped")

    @property
    def worked(self) -> bool:
        """Whether it ran here and now, rather than being answered by the cache."""
        return self.record is not None and self.state != "cached"

    def number_text(self) -> str:
        if self.number is None:
            return ""
        name, value = self.number
        return Figure(name, self.unit).told(value)

    def came_to(self, key: str, value: Any) -> None:
        """Remember a number under the name that the stage declared for it."""
        known = figure(self.record.figures() if self.record else {}, key)
        self.number, self.unit = (known.name, value), known.unit


@dataclasses.dataclass
class PipelineRun:
    """One run of a pipeline."""

    name: str
    run: str
    """The name of this run, and of its folder."""
    stages: list[StageRun]
    params: dict[str, Any] = dataclasses.field(default_factory=dict)
    state: Literal["running", "done", "failed"] = "running"
    began_s: float = 0.0
    seconds: float = 0.0
    process: int = dataclasses.field(default_factory=os.getpid)
    """Whose death ends the run whatever this file says."""

    @property
    def failed(self) -> StageRun | None:
        """The first stage that failed."""
        return next((stage for stage in self.stages if stage.state == "failed"), None)

    @property
    def alive(self) -> bool:
        """Whether the run is going on: it says so, and its process lives."""
        return self.state == "running" and lives(self.process)

    def save(self, folder: Path) -> Path:
        stages = [{**vars(stage), "record": stage.record and str(stage.record.folder)} for stage in self.stages]
        return write_json(folder / RUN_FILE, plain({**vars(self), "stages": stages}))

    @classmethod
    def load(cls, folder: Path) -> PipelineRun:
        told = read_json(folder / RUN_FILE)
        stages = [
            StageRun(**{**stage, "record": stage["record"] and Record(Path(stage["record"]))})
            for stage in told["stages"]
        ]
        return cls(**{**told, "stages": stages})


def plain(value: Any) -> Any:
    """Make a value fit for JSON: artifacts become their paths, what JSON cannot say becomes text."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and abs(value) < float("inf")):
        return value
    return str(getattr(value, "path", value))
