"""Mixtures that nobody has played: stems of different songs, louder, softer, upside down or side by side exchanged.

mixer = Mixer(corpus["train"], corpus.rate_hz, Mixing(), frames=132_300)
mixer.draw(generator)           # float32[s, 2, t]; their sum is the mixture
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.music.errors import BadConfig
from models.separation.dataset import PreparedSong


@dataclass(frozen=True)
class Mixing:
    """How a mixture is drawn."""

    strangers: float = 0.5
    """Chance that its stems come from different songs and places."""
    gain_db: float = 4.0
    """Stems are up to so much louder or softer."""
    polarity: float = 0.5
    """Chance that a stem is turned upside down."""
    swapping: float = 0.5
    """Chance that a stem's left and right are exchanged."""
    speed: float = 0.0
    """A stem is played up to such a share faster and higher, or slower and lower."""
    loud: float = 0.8
    """Chance that a stem is taken where it is heard; otherwise from anywhere, silence included."""
    loud_db: float = -45.0
    """What is heard."""

    def __post_init__(self) -> None:
        for name in ("strangers", "polarity", "swapping", "loud"):
            if not 0 <= getattr(self, name) <= 1:
                raise BadConfig(f"{name} is {getattr(self, name)}; it is a chance, from 0 to 1.")
        if not 0 <= self.speed < 0.5 or self.gain_db < 0:
            raise BadConfig(f"speed is {self.speed}, gain_db {self.gain_db}; give 0 to 0.5, and 0 or more.")


class Mixer:
    """Draws mixtures from songs; whoever draws with the same generator draws the same."""

    def __init__(self, songs: Sequence[PreparedSong], rate_hz: int, mixing: Mixing, frames: int) -> None:
        self.songs, self.rate_hz, self.mixing, self.frames = songs, rate_hz, mixing, frames
        self.shares = np.cumsum([song.frames for song in songs], dtype=np.float64)

    def draw(self, generator: np.random.Generator) -> NDArray[np.float32]:
        """float32[s, 2, t]"""
        stems = len(self.songs[0].samples)
        song = self.some_song(generator)
        start = self.some_start(song, int(generator.integers(stems)), generator)
        strangers = generator.random() < self.mixing.strangers
        drawn = []
        for stem in range(stems):
            if strangers:
                song = self.some_song(generator)
                start = self.some_start(song, stem, generator)
            drawn.append(self.changed(song, stem, start, generator))
        return np.stack(drawn)

    def some_song(self, generator: np.random.Generator) -> PreparedSong:
        """Every second of music is as likely as every other."""
        return self.songs[int(np.searchsorted(self.shares, generator.random() * self.shares[-1], side="right"))]

    def some_start(self, song: PreparedSong, stem: int, generator: np.random.Generator) -> int:
        """Choose where to begin, mostly around a second in which the stem is heard."""
        last = max(0, song.frames - self.frames)
        heard = np.flatnonzero(song.loudness_db[stem] > self.mixing.loud_db)
        if not len(heard) or generator.random() >= self.mixing.loud:
            return int(generator.integers(last + 1))
        around = int(generator.choice(heard)) * self.rate_hz + int(generator.integers(self.rate_hz)) - self.frames // 2
        return int(np.clip(around, 0, last))

    def changed(self, song: PreparedSong, stem: int, start: int, generator: np.random.Generator) -> NDArray[np.float32]:
        """One stem [2, t], varied."""
        mixing = self.mixing
        pace = 1.0 + mixing.speed * generator.uniform(-1, 1)
        gain = 10 ** (generator.uniform(-mixing.gain_db, mixing.gain_db) / 20)
        sign = -1.0 if generator.random() < mixing.polarity else 1.0
        swapped = generator.random() < mixing.swapping
        sound = song.stretch(stem, start, round(self.frames * pace))
        if mixing.speed:
            sound = _at_length(sound, self.frames)
        return np.float32(sign * gain) * (sound[::-1] if swapped else sound)


def _at_length(sound: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Play a sound [2, t] faster or slower, so that it lasts so many frames."""
    import soxr

    played = soxr.resample(np.ascontiguousarray(sound.T), sound.shape[1], frames).T[:, :frames]
    return np.pad(played, ((0, 0), (0, frames - played.shape[1])))
