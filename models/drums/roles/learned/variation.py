"""Other recordings of the same drum: what a one-shot may go through without changing its role.

    other = vary(clip, np.random.default_rng(7))        # float32[t] at 16 kHz

Speed, equaliser, darker microphone, shorter decay, a room, drive, noise, a late or early cut.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len

from models.drums.roles.listening import Clip
from models.music.audio import LISTENING_RATE_HZ

MAX_SAMPLES = 2 * LISTENING_RATE_HZ
SEMITONES = 6.0
EQ_HZ = np.geomspace(30, 8_000, 7)
EQ_DB = 5.0  # standard deviation of each of its seven points


def vary(clip: Clip, random: np.random.Generator) -> Clip:
    """Return the sound as another chain of gear would have left it."""
    chain = (
        (_other_speed, 0.85),
        (_equalised, 0.70),
        (_darker, 0.15),
        (_shorter, 0.40),
        (_in_a_room, 0.25),
        (_driven, 0.20),
        (_noisy, 0.30),
        (_cut_elsewhere, 0.90),
    )
    sound = np.asarray(clip, np.float32)
    for change, probability in chain:
        if random.random() < probability:
            sound = change(sound, random).astype(np.float32)
    sound = sound[:MAX_SAMPLES]
    return sound * np.float32(0.95 / max(float(np.abs(sound).max()), 1e-6))


def _other_speed(sound: Clip, random: np.random.Generator) -> NDArray:
    import soxr

    speed = 2 ** random.uniform(-SEMITONES / 12, SEMITONES / 12)
    return np.asarray(soxr.resample(sound, LISTENING_RATE_HZ * speed, LISTENING_RATE_HZ))


def _equalised(sound: Clip, random: np.random.Generator) -> NDArray:
    points_db = random.normal(0, EQ_DB, len(EQ_HZ))
    return _filtered(sound, lambda hz: 10 ** (np.interp(np.log(hz + 1), np.log(EQ_HZ), points_db) / 20))


def _darker(sound: Clip, random: np.random.Generator) -> NDArray:
    cutoff_hz = random.uniform(2_500, 7_000)
    return _filtered(sound, lambda hz: 1 / np.sqrt(1 + (hz / cutoff_hz) ** 8))


def _shorter(sound: Clip, random: np.random.Generator) -> NDArray:
    return sound * np.exp(-np.arange(len(sound)) / LISTENING_RATE_HZ / random.uniform(0.08, 0.8))


def _in_a_room(sound: Clip, random: np.random.Generator) -> NDArray:
    length = round(LISTENING_RATE_HZ * random.uniform(0.05, 0.6))
    room = random.normal(0, 1, length) * np.exp(-np.linspace(0, 7, length))
    room *= random.uniform(0.02, 0.3) / np.linalg.norm(room)
    size = _fast(len(sound) + length)
    wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(room, size), size)[: len(sound) + length]
    wet[: len(sound)] += sound
    return wet


def _driven(sound: Clip, random: np.random.Generator) -> NDArray:
    return np.tanh(sound * random.uniform(1, 6))


def _noisy(sound: Clip, random: np.random.Generator) -> NDArray:
    return sound + random.normal(0, 10 ** (random.uniform(-70, -35) / 20), len(sound))


def _cut_elsewhere(sound: Clip, random: np.random.Generator) -> NDArray:
    shift = int(random.integers(-60, 200))
    if shift >= 0:
        return np.pad(sound, (shift, 0))
    return sound[-shift:] if len(sound) > 400 else sound


def _filtered(sound: Clip, gain_at) -> NDArray:
    size = _fast(2 * len(sound))
    spectrum = np.fft.rfft(sound, size) * gain_at(np.fft.rfftfreq(size, 1 / LISTENING_RATE_HZ))
    return np.fft.irfft(spectrum, size)[: len(sound)]


def _fast(length: int) -> int:
    """Return a length at least this long whose transform is quick."""
    return int(next_fast_len(length) or length)
