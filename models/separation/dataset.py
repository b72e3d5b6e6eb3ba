"""Songs made ready to be learnt from: at one rate, as arrays that are read in stretches straight from the disk.

    prepare(["musdb18hq", "synth"], "prepared")
    corpus = read_corpus("prepared")
    corpus["train"][0].stretch(stem=0, start=44_100, frames=132_300)       # float32[2, t]

Samples are kept as 16-bit numbers with one scale for each song, and how loud every stem is, second by second.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.music.audio import HOUSE_RATE_HZ
from models.music.errors import BadAudio, BadInput
from models.music.files import check_folder, read_json, whole_folder, write_json
from models.separation.songs import SPLITS, STEMS, Song, find_songs

log = logging.getLogger(__name__)
ABOUT = "songs.json"
QUIETEST_DB = -80.0
LARGEST = 32_767

# s stems, c channels, t samples


@dataclass(frozen=True)
class PreparedSong:
    """A song on disk, read where it is asked for."""

    name: str
    split: str
    samples: NDArray[np.int16]
    """[s, 2, t], mapped from the disk."""
    scale: float
    """What a step of the samples is worth."""
    loudness_db: NDArray[np.float32]
    """[s, seconds]"""

    @property
    def frames(self) -> int:
        return self.samples.shape[-1]

    def stretch(self, stem: int, start: int, frames: int) -> NDArray[np.float32]:
        """float32[2, t] of one stem; beyond the song's end is silence."""
        heard = self.samples[stem, :, start : start + frames] * np.float32(self.scale)
        return np.pad(heard, ((0, 0), (0, frames - heard.shape[-1])))

    def stems(self) -> NDArray[np.float32]:
        """float32[s, 2, t]: all of it."""
        return self.samples * np.float32(self.scale)


@dataclass(frozen=True)
class Corpus:
    """Songs by split; no song is in two."""

    songs: tuple[PreparedSong, ...]
    stems: tuple[str, ...]
    rate_hz: int
    summary: dict[str, Any]

    def __getitem__(self, split: str) -> list[PreparedSong]:
        """The songs of a split; at least one."""
        found = [song for song in self.songs if song.split == split]
        if not found:
            raise BadInput(f"separation data: no song in the split {split!r}; there are {self.summary['songs']}.")
        return found


def prepare(
    sources: Sequence[str | os.PathLike[str]] | str | os.PathLike[str],
    folder: str | os.PathLike[str],
    stems: Sequence[str] = STEMS,
    rate_hz: int = HOUSE_RATE_HZ,
) -> Corpus:
    """Read the songs of one data set or several, and write them as a folder; a song that cannot be read is left out."""
    places = [sources] if isinstance(sources, str | os.PathLike) else sources
    songs = [(f"{Path(place).name}/{song.name}", song) for place in places for song in find_songs(place)]
    about, left_out = [], {}
    with whole_folder(folder, replace=True) as part:
        for name, song in songs:
            try:
                about.append(_written(part / f"{len(about):05d}.npy", name, song, stems, rate_hz))
            except BadAudio as error:
                log.warning("%s is left out: %s", name, error)
                left_out[name] = str(error)
        counts = {split: sum(row["split"] == split for row in about) for split in SPLITS}
        seconds = round(sum(row["frames"] for row in about) / rate_hz)
        summary = {"songs": counts, "seconds": seconds, "left_out": left_out}
        write_json(part / ABOUT, {"stems": list(stems), "rate_hz": rate_hz, "songs": about, "summary": summary})
    return read_corpus(folder)


def read_corpus(folder: str | os.PathLike[str]) -> Corpus:
    """Read what prepare wrote."""
    folder = Path(folder)
    check_folder(folder)
    about = read_json(folder / ABOUT)
    songs = tuple(
        PreparedSong(
            row["name"],
            row["split"],
            np.load(folder / row["file"], mmap_mode="r", allow_pickle=False),
            row["scale"],
            np.array(row["loudness_db"], np.float32),
        )
        for row in about["songs"]
    )
    return Corpus(songs, tuple(about["stems"]), about["rate_hz"], about["summary"])


def _written(file: Path, name: str, song: Song, stems: Sequence[str], rate_hz: int) -> dict[str, Any]:
    sound = song.read(stems, rate_hz)
    scale = max(float(np.abs(sound).max()), 1e-6) / LARGEST
    np.save(file, np.round(sound / scale).astype(np.int16), allow_pickle=False)
    loudness = [[round(float(value), 1) for value in row] for row in _loudness_db(sound, rate_hz)]
    return {
        "name": name,
        "split": song.split,
        "file": file.name,
        "frames": sound.shape[-1],
        "scale": scale,
        "loudness_db": loudness,
    }


def _loudness_db(sound: NDArray[np.float32], rate_hz: int) -> NDArray[np.float64]:
    """[s, 2, t] -> [s, seconds]"""
    seconds = -(-sound.shape[-1] // rate_hz)
    padded = np.pad(sound, ((0, 0), (0, 0), (0, seconds * rate_hz - sound.shape[-1])))
    power = np.square(padded, dtype=np.float64).reshape(len(sound), 2, seconds, rate_hz).mean((1, 3))
    return np.maximum(10 * np.log10(power + 1e-12), QUIETEST_DB)
