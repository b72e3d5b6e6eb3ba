"""Songs whose stems are known, wherever they lie, each in one split.

    songs = find_songs("musdb18hq")         # or MUSDB18's stem.mp4, or any folder with a folder of stems for each song
    songs[0].name, songs[0].split
    stems = songs[0].read(("drums", "bass"), 44_100)        # float32[s, 2, t], all as long; a missing stem is silent

A folder is a song when it holds a sound file named after a stem. Folders called train, valid and test on the way to it
say its split, and MUSDB18's training songs are divided as its authors do. Otherwise songs are ordered by a hash of their
names: the first 15 % are the test, the next 15 % for validation. Clips of one song (`Name_clip1`, `Name_clip2`) stay
together, so that no split has heard a song of another.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.music.audio import AUDIO_SUFFIXES, Audio, read_audio
from models.music.errors import BadAudio, BadInput

STEMS = ("drums", "bass", "other", "vocals")
SPLITS = ("train", "valid", "test", "unfamiliar")
"""The last is one more examination, on songs unlike those of the others."""
ALSO_CALLED = {"validation": "valid", "training": "train", "testing": "test"}
HELD_OUT = 0.15
MUSDB_SUFFIX = ".stem.mp4"
MUSDB_STREAMS = {"mixture": 0, "drums": 1, "bass": 2, "other": 3, "vocals": 4}
MUSDB_VALIDATION = frozenset(
    {
        "Actions - One Minute Smile",
        "Clara Berry And Wooldog - Waltz For My Victims",
        "Johnny Lokke - Promises & Lies",
        "Patrick Talbot - A Reason To Leave",
        "Triviul - Angelsaint",
        "Alexander Ross - Goodbye Bolero",
        "Fergessen - Nos Palpitants",
        "Leaf - Summerghost",
        "Skelpolu - Human Mistakes",
        "Young Griffo - Pennies",
        "ANiMAL - Rockshow",
        "James May - On The Line",
        "Meaxic - Take A Step",
        "Traffic Experiment - Sirens",
    }
)


@dataclass(frozen=True)
class Song:
    """A song's stems on disk."""

    name: str
    """As its path below the data set's folder."""
    path: Path
    """A folder of stems, or a stem.mp4."""
    split: str = ""

    @property
    def family(self) -> str:
        """What clips of one song have in common."""
        return re.split(r"[_ -]clip[_ -]?\d", self.name, maxsplit=1, flags=re.IGNORECASE)[0]

    def read(self, stems: Sequence[str], rate_hz: int) -> NDArray[np.float32]:
        """float32[s, 2, t] at a rate."""
        found = _from_mp4(self.path, stems) if self.path.is_file() else _from_folder(self.path, stems)
        sounds = [None if stem is None else stem.stereo().at_rate(rate_hz).samples for stem in found]
        frames = max((sound.shape[1] for sound in sounds if sound is not None), default=0)
        if not frames:
            raise BadInput(f"{self.name}: none of the stems {', '.join(stems)}. Leave it out, or name its stems so.")
        silence = np.zeros((2, 0), np.float32)
        each = [silence if sound is None else sound for sound in sounds]
        return np.stack([np.pad(sound, ((0, 0), (0, frames - sound.shape[1]))) for sound in each])


def find_songs(source: str | os.PathLike[str]) -> list[Song]:
    """List the songs below a folder by name, each with its split."""
    root = Path(source)
    if not root.is_dir():
        raise BadInput(f"{root}: no such folder. Give one with a folder of stems for each song.")
    files = [file for file in root.rglob("*") if file.is_file() and not file.name.startswith(".")]
    folders = {f.parent for f in files if f.stem.lower() in STEMS and f.suffix.lower() in AUDIO_SUFFIXES}
    places = sorted(folders | {f for f in files if f.name.endswith(MUSDB_SUFFIX)})
    songs = [Song(_name(place, root), place, _told_split(place, root)) for place in places]
    if not songs:
        raise BadInput(f"{root}: no songs. Give each a folder with {', '.join(f'{stem}.wav' for stem in STEMS)}.")
    return _divided(songs)


def _name(place: Path, root: Path) -> str:
    name = place.relative_to(root).as_posix() if place != root else root.name
    return name.removesuffix(MUSDB_SUFFIX)


def _told_split(place: Path, root: Path) -> str:
    """The split that a folder on the way is called after, MUSDB18's own validation songs apart."""
    words = [ALSO_CALLED.get(part.lower(), part.lower()) for part in place.relative_to(root).parts[:-1]]
    split = next((word for word in reversed(words) if word in SPLITS), "")
    return "valid" if split == "train" and Path(_name(place, root)).name in MUSDB_VALIDATION else split


def _divided(songs: list[Song]) -> list[Song]:
    """Keep the splits that folders tell; what is not held out by them is drawn from the songs that are left."""
    told = {song.split for song in songs}
    if "" in told or "train" not in told:
        songs, told = [replace(song, split="") for song in songs], set()
    missing = [split for split in ("test", "valid") if split not in told]
    if not missing:
        return songs
    order = sorted({song.family for song in songs if song.split in ("", "train")}, key=_hash)
    if len(order) <= len(missing):
        raise BadInput(f"{len(order)} songs: at least {len(missing) + 1} are needed, so that some can be held out.")
    each = min(math.ceil(HELD_OUT * len(order)), (len(order) - 1) // len(missing))
    held_out = {family: missing[index // each] for index, family in enumerate(order[: each * len(missing)])}
    return [s if s.split not in ("", "train") else replace(s, split=held_out.get(s.family, "train")) for s in songs]


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _from_folder(folder: Path, stems: Sequence[str]) -> list[Audio | None]:
    files = {f.stem.lower(): f for f in sorted(folder.iterdir()) if f.suffix.lower() in AUDIO_SUFFIXES}
    return [read_audio(files[stem]) if stem in files else None for stem in stems]


def _from_mp4(file: Path, stems: Sequence[str]) -> list[Audio | None]:
    """Read MUSDB18's own format: five streams in one file, the mixture first."""
    try:
        from musdb.audio_classes import Track
    except (ImportError, RuntimeError) as error:  # stempeg, which it stands on, wants ffmpeg when it is imported
        raise BadInput(f"{file.name}: needs musdb and ffmpeg ({error}). pip install 'jamflow[stems]'.") from error
    found: dict[str, Audio] = {}
    try:
        for stem in set(stems) & set(MUSDB_STREAMS):
            track = Track(str(file), stem_id=MUSDB_STREAMS[stem])
            found[stem] = Audio(np.asarray(track.audio.T, np.float32), int(track.rate or 0), f"{file.name}: {stem}")
    except Exception as error:  # whatever ffmpeg and its two wrappers make of a broken file
        raise BadAudio(f"{file.name}: not read as stems ({type(error).__name__}). Fetch it again.") from error
    return [found.get(stem) for stem in stems]
