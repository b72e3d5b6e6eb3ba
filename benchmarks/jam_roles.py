"""How fast MIDI becomes role samples, and how well chords are heard.  Run: python -m benchmarks.jam_roles

Solos of the practice room are written, prepared, and prepared again with twice as many: the time should double. Where
../shared has POP909, chords heard in its piano are compared, quarter by quarter, with those that people wrote down, on
the songs that no setting was chosen on; beside them a peer that names each bar alone by models.music's recognise().
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from models.jam.chords import hear_chords
from models.jam.listening import LeftOut, Wishes, hear
from models.jam.prepare import prepare
from models.jam.roles import RoleSample, read_roles
from models.music.chords import Chord, recognise
from models.music.notes import ONSET, PITCH
from models.practice.solos import write_solos

POP909 = Path(__file__).resolve().parents[2] / "shared/data/piano_midi/pop909"
CHOSEN_ON = 184
"""The first so many songs were looked at when settings were chosen."""
MINOR, DOMINANT = ("minor", "minor-seventh"), ("major", "dominant", "major-seventh")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=600)
    files = parser.parse_args().files
    with tempfile.TemporaryDirectory() as there:
        write_solos(Path(there, "solos"), 2 * files, seed=1)
        for extra in sorted(Path(there, "solos").rglob("*.mid"), key=lambda file: file.name)[files:]:
            extra.rename(Path(there, extra.name))
        seconds = [_prepared(Path(there), files)]
        for extra in Path(there).glob("*.mid"):
            extra.rename(Path(there, "solos", extra.name))
        seconds.append(_prepared(Path(there), 2 * files))
        began = time.perf_counter()
        count = len(read_roles(Path(there, "roles")).samples)
        print(f"read back and checked: {count / (time.perf_counter() - began):.0f} samples a second")
    print(f"twice the files take {seconds[1] / seconds[0]:.2f} times as long (2 is linear)")
    print(f"10,000 such files would take {10_000 / (2 * files) * seconds[1] / 60:.1f} minutes")
    if POP909.is_dir():
        _chords()


def _prepared(there: Path, files: int) -> float:
    began = time.perf_counter()
    prepare(there / "solos", there / "roles")
    seconds = time.perf_counter() - began
    print(f"{files} files: {seconds:.1f} s, {files / seconds:.0f} a second")
    return seconds


def _chords() -> None:
    songs = []
    for path in sorted(POP909.glob("*.mid"))[CHOSEN_ON:]:
        try:
            songs.append(hear(path, Wishes()))
        except LeftOut:
            continue
    print(f"chords of {len(songs)} songs, a quarter each: root and family as written, root alone, ms a song")
    for name, listen in (("the path of all quarters", _path), ("each bar alone", _bars)):
        began = time.perf_counter()
        heard = [listen(song) for song in songs]
        spent_ms = (time.perf_counter() - began) / len(songs) * 1000
        pairs = [
            (w, h)
            for song, own in zip(songs, heard, strict=True)
            for w, h in zip(_written(song), own, strict=True)
            if w
        ]
        roots = np.mean([h is not None and h.root == w.root for w, h in pairs])
        families = np.mean([h is not None and (h.root, _family(h)) == (w.root, _family(w)) for w, h in pairs])
        print(f"  {name:26}{families:.3f}  {roots:.3f}  {spent_ms:.1f}")


def _quarters(song: RoleSample) -> np.ndarray:
    return np.arange(int(song.bars * song.quarters_per_bar))


def _written(song: RoleSample) -> list[Chord | None]:
    return song.chords_at(_quarters(song) * 960 + 480)


def _path(song: RoleSample) -> list[Chord | None]:
    chords = hear_chords(song.conditioning.notes, song.lead.ticks_per_bar)
    at = np.searchsorted([start for start, _ in chords], _quarters(song), side="right") - 1
    return [chords[i][1] if i >= 0 else None for i in at]


def _bars(song: RoleSample) -> list[Chord | None]:
    notes, per_bar = song.conditioning.notes, song.lead.ticks_per_bar
    bars = [notes[notes[:, ONSET] // per_bar == bar, PITCH] for bar in range(song.bars)]
    named = [recognise(bar.tolist()) for bar in bars]
    return [named[int(quarter * 960 // per_bar)] for quarter in _quarters(song)]


def _family(chord: Chord) -> str:
    return "minor" if chord.kind in MINOR else "major" if chord.kind in DOMINANT else chord.kind


if __name__ == "__main__":
    main()
