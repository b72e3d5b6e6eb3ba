"""Performances as windows for the groove model, each session in one split.

    corpus = prepare("groove-v1.0.0-midionly.zip", "prepared")      # or a folder of MIDI
    corpus = read_corpus("prepared")
    corpus.train.cells                                              # float32[n, 32, 27]

The Groove MIDI Dataset's layout is understood: drummerX/sessionY/*.mid with an info.csv whose official split is used
when all three of its parts are there. Otherwise whole sessions (folders) are ordered by a hash of their names; the
first 15 % are the test, the next 15 % validation: a drummer's evening never teaches and examines the same model.
A file is put on the grid whole and then cut, two bars every bar: notes before a bar line keep their bar. A pattern of
one bar is filled up with silence. What is not in one tempo and 4/4 is left out and counted.
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.groove.encoding import HITS, ROLAND, Array, padded, windows
from models.groove.sequences import performance_of_file
from models.music.errors import BadInput, BadMidi
from models.music.files import check_folder, read_json, whole_folder, write_json
from models.music.intake import unpacked
from models.music.midi import find_midi
from models.music.plain import parse_csv

log = logging.getLogger(__name__)
SPLITS = ("train", "validation", "test")
ARRAYS = ("cells", "performance", "step_ms")
HELD_OUT = 0.15
WINDOW_BARS, HOP_BARS = 2, 1


@dataclass(frozen=True)
class Windows:
    """Windows of a split, and which performance each comes from."""

    cells: NDArray[np.float32]
    """[n, 32, 27]."""
    performance: NDArray[np.int32]
    """[n]: index into names."""
    step_ms: NDArray[np.float32]
    """[n]: length of a sixteenth at the performance's tempo."""
    names: tuple[str, ...]
    """Performances, as session/file."""

    def __len__(self) -> int:
        return len(self.cells)


@dataclass(frozen=True)
class Corpus:
    """Three splits that share no session."""

    train: Windows
    validation: Windows
    test: Windows
    summary: dict

    def __getitem__(self, split: str) -> Windows:
        return getattr(self, split)


@dataclass(frozen=True)
class Played:
    """A performance on the grid."""

    name: str
    session: str
    official: str
    cells: Array
    step_ms: float


def prepare(source: str | os.PathLike[str], folder: str | os.PathLike[str]) -> Corpus:
    """Read a folder or archive of MIDI, split it, and write the windows as a folder; return them."""
    with unpacked(source) as root:
        played, skipped = listen(root)
    corpus = split(played, skipped)
    with whole_folder(folder, replace=True) as part:
        for name in SPLITS:
            windows_of = corpus[name]
            for key in ARRAYS:
                np.save(part / f"{name}_{key}.npy", getattr(windows_of, key), allow_pickle=False)
        write_json(part / "names.json", {name: corpus[name].names for name in SPLITS})
        write_json(part / "summary.json", corpus.summary)
    return corpus


def read_corpus(folder: str | os.PathLike[str]) -> Corpus:
    """Read what prepare wrote."""
    folder = Path(folder)
    check_folder(folder)
    names = read_json(folder / "names.json")
    parts = {}
    for name in SPLITS:
        arrays = {key: np.load(folder / f"{name}_{key}.npy", allow_pickle=False) for key in ARRAYS}
        parts[name] = Windows(**arrays, names=tuple(names[name]))
    return Corpus(**parts, summary=read_json(folder / "summary.json"))


def listen(root: Path) -> tuple[list[Played], dict[str, str]]:
    """Read every file of a folder that is in one tempo and 4/4; name the others with the reason."""
    official = _official(root)
    played, skipped = [], {}
    for path in find_midi(root):
        name = path.relative_to(root).as_posix()
        try:
            performance = performance_of_file(path)
        except BadMidi as error:
            skipped[name] = str(error)
            continue
        cells = performance.cells(ROLAND)
        if not len(cells):
            skipped[name] = "no hits" if performance.on_one_grid() else "not one tempo in 4/4"
            continue
        session, split = official.get(name, (path.parent.relative_to(root).as_posix(), ""))
        played.append(Played(name, session, split, padded(cells, WINDOW_BARS), 15e3 / performance.tempos_bpm[0]))
    log.info("%d performances, %d left out", len(played), len(skipped))
    return played, skipped


def _official(root: Path) -> dict[str, tuple[str, str]]:
    """Read info.csv, where there is one: file -> (session, split)."""
    found = sorted(root.rglob("info.csv"), key=lambda path: len(path.parts))
    if not found:
        return {}
    above = found[0].parent.relative_to(root)
    rows = parse_csv(found[0].read_bytes(), found[0].name, ["midi_filename", "session", "split"])
    return {(above / row["midi_filename"]).as_posix(): (row["session"], row["split"]) for row in rows}


def split(played: list[Played], skipped: dict[str, str]) -> Corpus:
    """Put every performance in one split and cut it into windows."""
    missing = [name for name in SPLITS if all(p.official != name for p in played)]
    if not missing:
        kind, parts = "official", {name: [p for p in played if p.official == name] for name in SPLITS}
    else:
        kind, parts = "by session", _by_session(played)
        if len(missing) < len(SPLITS):
            log.warning("the official split lacks %s: split by session instead", " and ".join(missing))
    return corpus_of(parts, split=kind, official_parts_missing=missing, left_out=skipped)


def corpus_of(parts: Mapping[str, Sequence[Played]], **told: Any) -> Corpus:
    """Cut the performances of each split into windows; `told` is said of them in the summary as well."""
    cut = {name: _windows(parts[name]) for name in SPLITS}
    summary = {
        "windows": {name: len(cut[name]) for name in SPLITS},
        "performances": {name: len(parts[name]) for name in SPLITS},
        "hit_rate": round(float((cut["train"].cells[..., HITS] > 0.5).mean()), 4),
        "sessions": {name: sorted({p.session for p in parts[name]}) for name in SPLITS},
    }
    return Corpus(**cut, summary=told | summary)


def _by_session(played: list[Played]) -> dict[str, list[Played]]:
    sessions = {p.session for p in played}
    one_each = len(sessions) < len(SPLITS)  # a flat folder: every file is its own session
    key = (lambda p: p.name) if one_each else (lambda p: p.session)
    order = _by_hash({key(p) for p in played})
    if len(order) < len(SPLITS):
        raise BadInput(
            f"groove data: {len(played)} performances in 4/4; at least {len(SPLITS)} are needed to hold some out."
        )
    held_out = math.ceil(HELD_OUT * len(order))
    place = {name: min(index // held_out, 2) for index, name in enumerate(order)}
    return {
        name: [p for p in played if place[key(p)] == rank] for rank, name in enumerate(("test", "validation", "train"))
    }


def _by_hash(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())


def _windows(played: Sequence[Played]) -> Windows:
    cut = [windows(p.cells, WINDOW_BARS, HOP_BARS) for p in played]
    counts = [len(part) for part in cut]
    return Windows(
        np.concatenate(cut).astype(np.float32),
        np.repeat(np.arange(len(played), dtype=np.int32), counts),
        np.repeat(np.array([p.step_ms for p in played], np.float32), counts),
        tuple(p.name for p in played),
    )
