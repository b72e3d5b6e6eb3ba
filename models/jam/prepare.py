"""From a folder of MIDI to role samples: heard side by side, doubles out, every piece in one split.

    roles = prepare("piano_midi", "roles", Preparing(transpose=6, naming=r"(?P<style>[^/]+)/[^_]+_(?P<piece>.+?)(-\\d+)?"))
    roles.summary["left_out"]                 # {"drums only": 2, …}

A file's path below the folder, without its suffix, tells its style and its piece: by default its first folder and its
name. Pieces are ordered by a hash of their names; the first 15 % are the test, the next 15 % for validation. What is
left out is counted by reason and named with a sentence in summary.json.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import math
import multiprocessing
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from models.jam.likeness import near_duplicates
from models.jam.listening import LeftOut, Wishes, hear
from models.jam.roles import SPLITS, SUMMARY, Roles, RoleSample, write_sample
from models.music.errors import BadConfig, BadInput
from models.music.files import whole_folder, write_json
from models.music.midi import find_midi
from models.music.plain import readable

log = logging.getLogger(__name__)
NAMING = r"(?:(?P<style>[^/]+)/)?(?:.*/)?(?P<piece>[^/]+)"
HELD_OUT = 0.15
AT_ONCE = 32
"""Files that a process takes together."""
NAMED = 1000
"""So many of what was left out are named one by one."""


@dataclass(frozen=True)
class Preparing:
    """How a folder becomes role samples."""

    wishes: Wishes = field(default_factory=Wishes)
    transpose: int = 0
    """Write each piece to learn from up to so many semitones higher and lower as well; 6 gives all twelve keys."""
    naming: str = NAMING
    """A regular expression for the whole path, with groups style and piece."""
    style: str = ""
    """Of every piece, whatever its path says."""
    processes: int = 0
    """0 takes every core."""

    def __post_init__(self) -> None:
        if not 0 <= self.transpose <= 6:
            raise BadConfig(f"transpose is {self.transpose}; give 0 to 6 semitones.")
        try:
            groups = re.compile(self.naming).groupindex
        except re.error as error:
            raise BadConfig(f"naming {self.naming!r}: no regular expression ({error}). Try {NAMING!r}.") from error
        if "piece" not in groups:
            raise BadConfig(f"naming {self.naming!r}: has no group called piece; write (?P<piece>…).")

    def named(self, path: str) -> tuple[str, str]:
        """Read a file's piece and style from its path below the folder."""
        stem = path.rpartition(".")[0]
        match = re.fullmatch(self.naming, stem)
        told = match.groupdict() if match else {}
        piece = re.sub(r"[\W_]+", " ", told.get("piece") or stem).strip().casefold() or stem
        return readable(piece), self.style or readable(told.get("style") or "lead")


def prepare(
    source: str | os.PathLike[str], folder: str | os.PathLike[str], preparing: Preparing | None = None
) -> Roles:
    """Hear every file below a folder, and write the samples as a folder of roles; return them in the keys they were in."""
    preparing = preparing or Preparing()
    root = Path(source)
    names = [path.relative_to(root).as_posix() if path != root else path.name for path in find_midi(root)]
    heard, left_out = [], {}
    with side_by_side(preparing.processes, len(names)) as each:
        for name, found in zip(names, each(partial(_heard, root, preparing), names), strict=True):
            if isinstance(found, RoleSample):
                heard.append(found)
            else:
                left_out[readable(name)] = found
        for double, first in near_duplicates([sample.lead.notes for sample in heard]).items():
            left_out[heard[double].source] = ("double", f"its lead is that of {heard[first].source}")
        samples = split([sample for sample in heard if sample.source not in left_out])
        summary = summarised(samples, preparing.transpose, left_out)
        log.info("%d samples of %d files", sum(summary["samples"].values()), len(names))
        with whole_folder(folder, replace=True) as part:
            list(each(partial(_write, part, preparing.transpose), samples))
            write_json(part / SUMMARY, summary)
    return Roles(tuple(sorted(samples, key=lambda sample: sample.sample_id)), summary)


def split(samples: Sequence[RoleSample]) -> list[RoleSample]:
    """Put every piece in one split."""
    order = sorted({sample.piece for sample in samples}, key=lambda piece: hashlib.sha256(piece.encode()).hexdigest())
    if len(order) < len(SPLITS):
        raise BadInput(
            f"roles: {len(order)} pieces that can be used; at least {len(SPLITS)} are needed to hold some out."
        )
    held_out = math.ceil(HELD_OUT * len(order))
    place = {piece: ("test", "valid", "train")[min(index // held_out, 2)] for index, piece in enumerate(order)}
    return [replace(sample, split=place[sample.piece]) for sample in samples]


def summarised(samples: Sequence[RoleSample], transpose: int, left_out: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """Count what came of it, and say what did not."""
    seconds = sum(sample.bars * sample.quarters_per_bar * 60 / sample.tempo_bpm for sample in samples)
    parts = {name: [sample for sample in samples if sample.split == name] for name in SPLITS}
    return {
        "samples": {name: sum(len(_keys(each, transpose)) for each in part) for name, part in parts.items()},
        "pieces": {name: len({sample.piece for sample in part}) for name, part in parts.items()},
        "styles": dict(Counter(sample.style for sample in samples).most_common()),
        "minutes": round(float(seconds) / 60, 1),
        "lead_notes": sum(len(sample.lead) for sample in samples),
        "left_out": dict(Counter(reason for reason, _ in left_out.values()).most_common()),
        "left_out_files": {name: sentence for name, (_, sentence) in list(left_out.items())[:NAMED]},
    }


def _heard(root: Path, preparing: Preparing, name: str) -> RoleSample | tuple[str, str]:
    """Hear one file, or say why it is left out: a word for the count, and a sentence."""
    piece, style = preparing.named(name)
    try:
        sample = hear(root / name if root.is_dir() else root, preparing.wishes, piece, style)
    except BadInput as error:
        return error.reason if isinstance(error, LeftOut) else "not readable", readable(str(error))
    return replace(sample, source=readable(name))


def _keys(sample: RoleSample, transpose: int) -> range:
    """By how many semitones a sample is written: in other keys only where it is to be learnt from; six up is six down."""
    return range(-min(transpose, 5), transpose + 1) if sample.split == "train" else range(1)


def _write(folder: Path, transpose: int, sample: RoleSample) -> None:
    for semitones in _keys(sample, transpose):
        write_sample(folder, sample.transposed(semitones) if semitones else sample)


@contextlib.contextmanager
def side_by_side(processes: int, files: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """Give a map() that several processes share, or this one alone when the files are few.

    They are started fresh: a process copied while others of its threads work could wait for them for ever.
    """
    count = min(processes or os.cpu_count() or 1, -(-files // AT_ONCE))
    if count < 2:
        yield map
        return
    try:
        with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
            yield partial(pool.map, chunksize=AT_ONCE)
    except BrokenProcessPool as error:
        raise BadInput(
            f"roles: one of {count} processes fell silent (memory? a script without its own `if __name__`?). Give 1."
        ) from error
