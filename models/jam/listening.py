"""One MIDI file heard as a soloist and a band over the same bars, or the reason why it cannot be.

    sample = hear("tune.mid", Wishes())                     # a RoleSample, its chords as written or as heard
    hear("drums.mid", Wishes())                             # raises LeftOut: reason "drums only"

A track that is called melody, lead, solo or vocal is the soloist's, and all others that are no drums are the band's.
Without one, a pitch that divides the piece's notes best (Otsu's threshold) parts the two, the highest voice above it is
the soloist's, and what sounds under that voice joins the band. Of a piece in several meters the longest stretch in one
is heard, its bars begin where its written chords do, and those before and after the soloist are cut away. Chords are taken as written where markers, or a
table `<name>_chord.txt` of beginning, end and symbol beside the file, tell them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.jam.chords import Chords, hear_chords, key_of
from models.jam.parts import EARLY_TICKS, apart, between, split_pitch, top_voice
from models.jam.roles import RoleSample, identity
from models.jam.sheets import TempoMap, chords_written, shifted
from models.music.errors import BadConfig, BadInput, BadMidi
from models.music.midi import notes_of_track, read_score
from models.music.notes import DURATION, ONSET, TICKS_PER_QUARTER, Take

Notes = NDArray[np.int32]
LEAD_NAMES = re.compile(r"\b(melody|lead|solo|vocals?|voice|singer)\b", re.IGNORECASE)
MAX_NOTES, MAX_QUARTERS = 50_000, 20_000
MIN_PULSE, CLEAR_PULSE = 4.5, 0.6
"""Times the agreement of onsets strewn at random, or a share of all: free recordings, whose bars nobody knows, have less."""
CLEARLY = 1.5
HARMONICS = (1, 2, 3, 4, 6, 12)


class LeftOut(BadMidi):
    """A file that makes no sample; its reason is a word or two, for counting."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True)
class Wishes:
    """How files are parted, and which of them are wanted."""

    split_pitch: int = 0
    """The lowest pitch of a soloist without a track of its own; 0 finds it piece by piece."""
    one_voice: bool = True
    """Whether the soloist plays a line; otherwise everything above the split is the soloist's."""
    min_notes: int = 16
    """Of the soloist."""
    tempos_bpm: tuple[float, float] = (30.0, 400.0)

    def __post_init__(self) -> None:
        if not 0 <= self.split_pitch <= 127:
            raise BadConfig(f"split_pitch is {self.split_pitch}; give a pitch from 1 to 127, or 0 to find it.")
        if self.min_notes < 2:
            raise BadConfig(f"min_notes is {self.min_notes}; give at least 2 (try 16).")


class Stretch(NamedTuple):
    """A part of a file in one meter, in its own ticks."""

    begin: int
    end: float
    meter: tuple[int, int]


def hear(path: str | os.PathLike[str], wishes: Wishes, piece: str = "", style: str = "") -> RoleSample:
    """Hear one file; its split is for others to say."""
    path = Path(path)
    score = _read(path)
    stretch = _longest_stretch(path, score)
    lead, band = _parts(path, score, stretch, wishes)
    if not has_pulse(np.concatenate([lead, band])[:, ONSET]):
        raise LeftOut("no pulse", f"{path.name}: its notes keep to no beat. Record it to a click, or mark its beats.")
    tempo_bpm = _tempo(path, score, stretch, wishes)
    chords = shifted(_written(path, score), -stretch.begin / score.ticks_per_quarter)
    meter, late = _in_bars(stretch.meter, chords, band)
    lead, band, chords = _moved(lead, late), _moved(band, late), shifted(chords, late / TICKS_PER_QUARTER)
    ticks_per_bar = Take(lead, meter=meter).ticks_per_bar
    first, end = _bar(lead[:, ONSET].min(), ticks_per_bar), _bar(lead[:, ONSET].max(), ticks_per_bar) + ticks_per_bar
    lead, band = between(lead, first, end), between(band, first, end)
    if not len(band):
        raise LeftOut("no band", f"{path.name}: nothing is played under its lead. Add chords or a lower part.")
    chords = shifted(chords, -first / TICKS_PER_QUARTER, end / TICKS_PER_QUARTER) or hear_chords(band, ticks_per_bar)
    sample_id = identity(lead, band)
    return RoleSample(
        sample_id=sample_id,
        piece=piece or path.stem,
        style=style or "lead",
        split="train",
        key=key_of(np.concatenate([lead, band])),
        chords=chords,
        conditioning=Take(band, tempo_bpm, meter, f"{sample_id}/conditioning"),
        lead=Take(lead, tempo_bpm, meter, f"{sample_id}/lead"),
        source=path.name,
    )


def _read(path: Path) -> Any:
    if path.is_file() and not path.stat().st_size:
        raise LeftOut("empty file", f"{path.name}: 0 bytes. Export it again, or leave it out.")
    try:
        score = read_score(path)
    except BadMidi as error:
        raise LeftOut("not readable", str(error)) from error
    if (quarters := score.end() // score.ticks_per_quarter) > MAX_QUARTERS:
        raise LeftOut("too long", f"{path.name}: {quarters} quarters; a piece has at most {MAX_QUARTERS}. Cut it.")
    return score


def _longest_stretch(path: Path, score: Any) -> Stretch:
    """Find the longest stretch of a file in one meter."""
    signs = sorted((sign.time, (sign.numerator, sign.denominator)) for sign in score.time_signatures)
    changes = [(0, (4, 4))] if not signs else [(0, signs[0][1]), *signs[1:]]
    kept = [change for i, change in enumerate(changes) if not i or change[1] != changes[i - 1][1]]
    ends = [begin for begin, _ in kept[1:]] + [np.inf]
    last = score.end()
    stretches = [Stretch(begin, end, meter) for (begin, meter), end in zip(kept, ends, strict=True)]
    longest = max(stretches, key=lambda stretch: min(stretch.end, last) - stretch.begin)
    top, bottom = longest.meter
    if not (1 <= top <= 64 and bottom in (1, 2, 4, 8, 16, 32) and top <= bottom):
        raise LeftOut("long bars", f"{path.name}: bars of {top}/{bottom}; the jam's bars have at most four quarters.")
    return longest


def _parts(path: Path, score: Any, stretch: Stretch, wishes: Wishes) -> tuple[Notes, Notes]:
    """The soloist's notes and the band's, in house ticks from the stretch's beginning."""
    tracks = [track for track in score.tracks if len(track.notes)]
    if not tracks:
        raise LeftOut("no notes", f"{path.name}: 0 notes. Export it again, or leave it out.")
    tuned = [track for track in tracks if not track.is_drum]
    if not tuned:
        raise LeftOut("drums only", f"{path.name}: nothing but drums. Give files with a melody.")
    if (count := sum(len(track.notes) for track in tuned)) > MAX_NOTES:
        raise LeftOut("too many notes", f"{path.name}: {count} notes; a piece has at most {MAX_NOTES}. Cut it.")
    notes = [_within(notes_of_track(track), stretch, score.ticks_per_quarter) for track in tuned]
    leads = [bool(LEAD_NAMES.search(track.name)) for track in tuned]
    if any(leads) and not all(leads):
        lead, band = _joined(notes, leads), _joined(notes, [not lead for lead in leads])
    else:
        every = _joined(notes, [True] * len(notes))
        above = every[:, 0] >= (wishes.split_pitch or split_pitch(every))
        lead, band = every[above], every[~above]
    if wishes.one_voice:
        line = top_voice(lead)
        lead, band = lead[line], _joined([band, lead[~line]], [True, True])
    if len(lead) < wishes.min_notes:
        raise LeftOut(
            "short lead", f"{path.name}: a lead of {len(lead)} notes; at least {wishes.min_notes} are needed."
        )
    return lead, band


def _within(notes: Notes, stretch: Stretch, ticks_per_quarter: int) -> Notes:
    """Those notes of a track that begin in a stretch, in house ticks."""
    inside = notes[(notes[:, ONSET] >= stretch.begin) & (notes[:, ONSET] < stretch.end)].astype(np.int64)
    inside[:, ONSET] = (inside[:, ONSET] - stretch.begin) * TICKS_PER_QUARTER // ticks_per_quarter
    inside[:, DURATION] = np.maximum(1, inside[:, DURATION] * TICKS_PER_QUARTER // ticks_per_quarter)
    return inside.astype(np.int32)


def _joined(tracks: Sequence[Notes], wanted: Sequence[bool]) -> Notes:
    return apart(np.concatenate([notes for notes, want in zip(tracks, wanted, strict=True) if want]))


def has_pulse(onsets: NDArray) -> bool:
    """Whether onsets agree on a place within the quarter, or within a part of it, more than by chance (Rayleigh's test)."""
    turns = np.exp(2j * np.pi * np.outer(HARMONICS, onsets / TICKS_PER_QUARTER))
    agreement = np.abs(turns.mean(1)).max()
    return bool(agreement >= min(CLEAR_PULSE, MIN_PULSE / np.sqrt(len(onsets))))


def _tempo(path: Path, score: Any, stretch: Stretch, wishes: Wishes) -> float:
    """The mean tempo of a stretch: its quarters over its minutes."""
    tempo_bpm = TempoMap(score).tempo_bpm(stretch.begin, min(stretch.end, score.end()))
    low, high = wishes.tempos_bpm
    if not low <= tempo_bpm <= high:
        raise LeftOut("tempo", f"{path.name}: {tempo_bpm:.4g} bpm; {low:g} to {high:g} are understood.")
    return round(tempo_bpm, 3)


def _written(path: Path, score: Any) -> Chords:
    try:
        return chords_written(path, score)
    except BadInput as error:
        raise LeftOut("chord table", str(error)) from error


def _in_bars(meter: tuple[int, int], written: Chords, band: Notes) -> tuple[tuple[int, int], int]:
    """Give a meter and by how many ticks the piece moves, so that bars begin where clearly most chords do.

    A pickup hides where bars begin. Bars of one quarter are no bars: they are taken four by four.
    """
    unbarred = meter == (1, 4)
    meter = (4, 4) if unbarred else meter
    quarters, rest = divmod(meter[0] * 4, meter[1])
    chords = written or (hear_chords(band, TICKS_PER_QUARTER) if unbarred else ())
    if rest or not chords:
        return meter, 0
    votes = np.bincount([round(start) % quarters for start, _ in chords], minlength=quarters)
    best = int(votes.argmax())
    return meter, -best % quarters * TICKS_PER_QUARTER if unbarred or votes[best] > CLEARLY * votes[0] else 0


def _moved(notes: Notes, ticks: int) -> Notes:
    return notes + np.array([0, 0, ticks, 0], np.int32)


def _bar(tick: int, ticks_per_bar: int) -> int:
    """The beginning of the bar that a note belongs to; one just before a bar line is early for the next."""
    return (int(tick) + EARLY_TICKS) // ticks_per_bar * ticks_per_bar
