"""Role samples: what the band plays, and the lead line that somebody played over it.

    roles = read_roles("roles")                     # what prepare-roles wrote
    sample = roles["train"][0]
    sample.lead.notes, sample.conditioning.notes    # int32[n, 4] in ticks, see models/music/notes.py; bar 0 begins at 0
    sample.chords                                   # ((0.0, Chord(9, "minor-seventh")), (4.0, None), …)
    sample.transposed(5)

On disk a sample is `lead/<sample_id>/{conditioning.mid, target.mid, meta.json}` below the folder; meta.json proves both
parts by a digest of their notes, summary.json tells how many samples there are. Samples of one piece, its transpositions
among them, are in one split.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.jam.chords import Chords
from models.jam.parts import between
from models.music.chords import NAMES, Chord
from models.music.errors import BadInput
from models.music.files import read_mapping, write_json
from models.music.midi import notes_of_track, read_score, write_parts
from models.music.notes import PITCH, TICKS_PER_QUARTER, Take

SPLITS = ("train", "valid", "test")
KEYS = tuple(f"{name} {mode}" for mode in ("major", "minor") for name in NAMES)
"""A key is an index into these: the tonic, plus 12 in minor."""
ROLE, CONDITIONING, TARGET, META, SUMMARY = "lead", "conditioning.mid", "target.mid", "meta.json", "summary.json"


@dataclass(frozen=True)
class RoleSample:
    """A piece as its band and its soloist, over the same bars."""

    sample_id: str
    piece: str
    """What must never be in two splits."""
    style: str
    split: str
    key: int
    """Into KEYS."""
    chords: Chords
    conditioning: Take
    lead: Take
    transposition: int = 0
    """Semitones from the piece as it was found."""
    source: str = ""
    """Where it was found; a label, never a path to open."""

    def __post_init__(self) -> None:
        starts = [start for start, _ in self.chords]
        if self.split not in SPLITS or not 0 <= self.key < len(KEYS):
            raise BadInput(f"{self.sample_id}: split {self.split!r}, key {self.key}; give one of {SPLITS} and 0 to 23.")
        if starts != sorted(set(starts)) or (starts and starts[0] < 0):
            raise BadInput(f"{self.sample_id}: its chords are not in order from 0 on. Prepare the roles again.")
        if (self.lead.tempo_bpm, self.lead.meter) != (self.conditioning.tempo_bpm, self.conditioning.meter):
            raise BadInput(f"{self.sample_id}: its parts differ in tempo or meter. Prepare the roles again.")

    @property
    def tempo_bpm(self) -> float:
        return self.lead.tempo_bpm

    @property
    def meter(self) -> tuple[int, int]:
        return self.lead.meter

    @property
    def quarters_per_bar(self) -> float:
        return self.lead.ticks_per_bar / TICKS_PER_QUARTER

    @property
    def bars(self) -> int:
        """Whole bars that hold every onset of both parts."""
        return max(self.lead.bars, self.conditioning.bars)

    def chords_at(self, ticks: NDArray[np.int32]) -> list[Chord | None]:
        """The chord over each of some onsets."""
        starts = [start * TICKS_PER_QUARTER for start, _ in self.chords]
        return [self.chords[i][1] if i >= 0 else None for i in np.searchsorted(starts, ticks, side="right") - 1]

    def first(self, bars: int) -> RoleSample:
        """The sample's first so many bars, or all of it."""
        end = bars * self.lead.ticks_per_bar
        return replace(
            self,
            chords=tuple((at, chord) for at, chord in self.chords if at * TICKS_PER_QUARTER < end),
            conditioning=self.conditioning.with_notes(between(self.conditioning.notes, 0, end)),
            lead=self.lead.with_notes(between(self.lead.notes, 0, end)),
        )

    def transposed(self, semitones: int) -> RoleSample:
        """The same piece so many semitones higher; a part that would leave 0 to 127 is moved by an octave instead."""
        return replace(
            self,
            sample_id=f"{self.sample_id}{semitones:+d}",
            key=self.key // 12 * 12 + (self.key + semitones) % 12,
            chords=tuple((at, chord and Chord((chord.root + semitones) % 12, chord.kind)) for at, chord in self.chords),
            conditioning=_moved(self.conditioning, semitones),
            lead=_moved(self.lead, semitones),
            transposition=self.transposition + semitones,
        )


@dataclass(frozen=True)
class Roles:
    """Samples by split; no piece is in two."""

    samples: tuple[RoleSample, ...]
    summary: dict[str, Any]

    def __getitem__(self, split: str) -> list[RoleSample]:
        """The samples of a split; at least one."""
        found = [sample for sample in self.samples if sample.split == split]
        if not found:
            raise BadInput(f"roles: no sample in the split {split!r}; give more pieces to prepare-roles.")
        return found


def read_roles(folder: str | os.PathLike[str]) -> Roles:
    """Read what prepare-roles wrote, in order of id."""
    folder = Path(folder)
    summary = read_mapping(folder / SUMMARY)
    samples = tuple(read_sample(meta.parent) for meta in sorted((folder / ROLE).glob(f"*/{META}")))
    found = {split: sum(sample.split == split for sample in samples) for split in SPLITS}
    if found != summary.get("samples"):
        raise BadInput(
            f"{folder}: {found} samples; {SUMMARY} tells of {summary.get('samples')}. Prepare them into an empty folder."
        )
    return Roles(samples, summary)


def read_sample(place: Path) -> RoleSample:
    """Read one sample's folder, and check that its parts and its words agree."""
    about = read_mapping(place / META)
    try:
        tempo_bpm, meter = float(about["tempo_bpm"]), (int(about["meter"][0]), int(about["meter"][1]))
        sample = RoleSample(
            sample_id=place.name,
            piece=about["piece"],
            style=about["style"],
            split=about["split"],
            key=about["key"],
            chords=_chords_of(about["chords"]),
            conditioning=Take(_notes(place / CONDITIONING), tempo_bpm, meter, f"{place.name}/{CONDITIONING}"),
            lead=Take(_notes(place / TARGET), tempo_bpm, meter, f"{place.name}/{TARGET}"),
            transposition=about["transposition"],
            source=about["source"],
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BadInput(f"{place.name}/{META}: lacks or misspells {error}. Prepare the roles again.") from error
    if about.get("sha256") != identity(sample.lead.notes, sample.conditioning.notes):
        raise BadInput(f"{place.name}: its notes are not those that were written. Prepare the roles again.")
    return sample


def write_sample(folder: Path, sample: RoleSample) -> Path:
    """Write a sample below a folder of roles."""
    place = folder / ROLE / sample.sample_id
    write_parts(place / CONDITIONING, {"Conditioning": sample.conditioning})
    write_parts(place / TARGET, {"Lead": sample.lead})
    write_json(place / META, about_sample(sample))
    return place


def about_sample(sample: RoleSample) -> dict[str, Any]:
    """All that the MIDI does not say."""
    return {
        "source": sample.source,
        "piece": sample.piece,
        "style": sample.style,
        "split": sample.split,
        "tempo_bpm": sample.tempo_bpm,
        "meter": list(sample.meter),
        "bars": sample.bars,
        "key": sample.key,
        "key_name": KEYS[sample.key],
        "transposition": sample.transposition,
        "notes": {CONDITIONING: len(sample.conditioning), TARGET: len(sample.lead)},
        "sha256": identity(sample.lead.notes, sample.conditioning.notes),
        "chords": [[start, chord.root, chord.kind] if chord else [start] for start, chord in sample.chords],
    }


def identity(lead: NDArray[np.int32], band: NDArray[np.int32]) -> str:
    """What a sample is called: a digest of its notes as they were found."""
    return hashlib.sha256(lead.tobytes() + band.tobytes()).hexdigest()[:16]


def _chords_of(rows: Iterable[Any]) -> Chords:
    return tuple((float(row[0]), Chord(row[1], row[2]) if len(row) == 3 else None) for row in rows)


def _notes(path: Path) -> NDArray[np.int32]:
    return np.concatenate([notes_of_track(track) for track in read_score(path).tracks] or [np.zeros((0, 4), np.int32)])


def _moved(take: Take, semitones: int) -> Take:
    pitch = take.notes[:, PITCH] + semitones
    if len(pitch) and (pitch.max() > 127 or pitch.min() < 0):
        pitch = pitch - 12 * (1 if semitones > 0 else -1)
    return take.with_notes(np.column_stack([pitch, take.notes[:, PITCH + 1 :]]))
