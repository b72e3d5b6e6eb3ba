"""What runs, trainings and downloads leave behind, and how it goes.

    for left in leftovers(profile): left.kind, left.path, left.size, left.age_s     # oldest first; nothing that is at work
    left.remove()
    sweep_killed(profile)       # at the start of every run: what killed ones have left half written

Models that were registered, the server's repository and the registry lie elsewhere and are never listed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from backstage.checkpoints import age_s, forget, trainings
from backstage.pipeline_run import RUN_FILE, PipelineRun, StageRun
from models.music.errors import BadInput
from pipelines.settings import Profile
from serving.scratch import left_over


@dataclass(frozen=True)
class Leftover:
    """A folder that nobody works in."""

    kind: Literal["run", "training", "download"]
    path: Path
    size: int
    """Bytes on the disk; a file of several names counts where it is met first."""
    age_s: float
    """Since something was last written there."""

    def remove(self) -> bool:
        """Remove it, unless somebody has begun to work there."""
        if self.kind == "training":
            return forget(self.path)
        shutil.rmtree(self.path, ignore_errors=True)
        return not self.path.exists()


def leftovers(profile: Profile) -> list[Leftover]:
    """List what could go, oldest first."""
    met: set[tuple[int, int]] = set()
    needed, work = _needed(profile), profile.where.work
    aged: dict[Path, tuple[Any, float]] = {
        folder: ("run", time.time() - _written_s(folder)) for folder in _folders(profile.runs) if folder not in needed
    }
    aged |= {folder: ("training", age_s(folder)) for folder in (trainings(Path(work)) if "://" not in work else [])}
    aged |= {folder: ("download", time.time() - folder.stat().st_mtime) for folder in _downloads()}
    oldest_first = sorted(aged.items(), key=lambda each: -each[1][1])
    return [Leftover(kind, folder, _size(folder, met), age) for folder, (kind, age) in oldest_first]


def sweep_killed(profile: Profile) -> None:
    """Remove what the stages of killed runs were writing; their records stay."""
    for folder in _downloads():
        shutil.rmtree(folder, ignore_errors=True)
    for folder in _folders(profile.runs):
        run = _run_of(folder)
        if run and run.state == "running" and not run.alive:
            for stage in run.stages:
                if stage.record and stage.state in ("running", "failed") and folder in stage.record.folder.parents:
                    keep_record(stage)


def keep_record(stage: StageRun) -> None:
    """Remove all that a stage has written but its record."""
    if stage.record is None:
        return
    for written in stage.record.folder.parent.iterdir() if stage.record.folder.parent.is_dir() else []:
        if written.is_dir() and written != stage.record.folder:
            shutil.rmtree(written, ignore_errors=True)
        elif not written.is_dir():
            written.unlink(missing_ok=True)


def _needed(profile: Profile) -> set[Path]:
    """The folders of the runs that are going on, and of those whose outputs they go on from."""
    needed: set[Path] = set()
    for folder in _folders(profile.runs):
        run = _run_of(folder)
        if run and run.alive:
            records = [stage.record.folder for stage in run.stages if stage.record]
            needed |= {
                folder,
                *(above for record in records for above in record.parents if above.parent == profile.runs),
            }
    return needed


def _downloads() -> list[Path]:
    """What killed stages have left in the temporary folder."""
    return left_over(Path(tempfile.gettempdir()))


def _folders(folder: Path) -> list[Path]:
    return sorted(below for below in folder.iterdir() if below.is_dir()) if folder.is_dir() else []


def _run_of(folder: Path) -> PipelineRun | None:
    """What a run said of itself; None where it was killed before it could."""
    with contextlib.suppress(BadInput, KeyError, TypeError):
        return PipelineRun.load(folder)
    return None


def _written_s(folder: Path) -> float:
    told = folder / RUN_FILE
    return (told if told.is_file() else folder).stat().st_mtime


def _size(folder: Path, met: set[tuple[int, int]]) -> int:
    return sum(_blocks(folder, met))


def _blocks(folder: Path, met: set[tuple[int, int]]) -> Iterator[int]:
    for above, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # it went meanwhile
                state = os.lstat(os.path.join(above, name))
                if (state.st_dev, state.st_ino) not in met:
                    met.add((state.st_dev, state.st_ino))
                    yield state.st_blocks * 512
