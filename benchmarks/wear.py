"""What recordings go through before anybody listens: noise, rooms, other gear, MP3, a mix and a separator.

with_noise(clip, 30.0), in_a_room(clip), through_other_gear(clip, generator), through_mp3(clip), out_of_a_mix(clip, generator)
"""

from __future__ import annotations

import io
import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from benchmarks.near_real import Clip
from models.learning.training import on_threads
from models.music.audio import HOUSE_RATE_HZ, Audio
from models.practice.songs import compose
from models.separation.stems import SEPARATOR, Separator, load_separator, separate

MP3_128 = (320 - 128) / (320 - 32)
"""libsndfile's measure of 128 kbit/s, between its best of 320 and its least of 32."""


def with_noise(clip: Clip, below_db: float, seed: int = 0) -> Clip:
    """Add pink noise whose RMS lies below_db under the clip's own."""
    mix = clip.audio.samples[0]
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(len(mix)))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 20))
    noise = np.fft.irfft(spectrum, len(mix))
    noise *= np.sqrt(np.mean(mix**2) / np.mean(noise**2)) * 10 ** (-below_db / 20)
    return replace(clip, audio=Audio(mix + noise.astype(np.float32), clip.audio.rate_hz))


def in_a_room(clip: Clip, seed: int = 0) -> Clip:
    """Play it in a room that dies away in half a second to a second and a half, 6 to 12 dB under the drums."""
    generator, rate_hz = np.random.default_rng(seed), clip.audio.rate_hz
    time_s = np.arange(round(1.5 * rate_hz)) / rate_hz
    room = generator.standard_normal(len(time_s)) * 10 ** (-3 * time_s / generator.uniform(0.5, 1.5))
    room[: round(generator.uniform(0.002, 0.02) * rate_hz)] = 0.0
    dry = clip.audio.samples[0]
    wet = fftconvolve(dry, room)[: len(dry)]
    wet *= np.sqrt(np.mean(dry**2) / np.mean(wet**2)) * 10 ** (-generator.uniform(6, 12) / 20)
    mix = dry + wet.astype(np.float32)
    return replace(clip, audio=Audio(0.5 * mix / np.abs(mix).max(), rate_hz))


def through_other_gear(clip: Clip, generator: np.random.Generator) -> Clip:
    """Play it at another speed, half an octave either way, through another equaliser."""
    rate_hz = clip.audio.rate_hz
    speed = 2 ** generator.uniform(-0.5, 0.5)
    sound = soxr.resample(clip.audio.samples[0], rate_hz * speed, rate_hz)
    sound = equalised(sound, generator)
    heard = Audio((0.5 * sound / np.abs(sound).max()).astype(np.float32), rate_hz)
    return replace(clip, audio=heard, onsets_s=clip.onsets_s / speed)


def equalised(sound: NDArray, generator: np.random.Generator) -> NDArray[np.float64]:
    """Raise and lower nine bands, by 4 dB most of the time."""
    size = 1 << len(sound).bit_length()
    hz = np.fft.rfftfreq(size, 1 / HOUSE_RATE_HZ)
    gains_db = np.interp(np.log(hz + 30), np.log(np.geomspace(30, 20_000, 9)), generator.normal(0, 4, 9))
    return np.fft.irfft(np.fft.rfft(sound, size) * 10 ** (gains_db / 20), size)[: len(sound)]


def through_mp3(clip: Clip) -> Clip:
    """Encode at 128 kbit/s and decode; LAME's delay is taken out again."""
    with io.BytesIO() as file:
        soundfile.write(
            file,
            clip.audio.samples[0],
            clip.audio.rate_hz,
            format="MP3",
            bitrate_mode="CONSTANT",
            compression_level=MP3_128,
        )
        file.seek(0)
        heard, rate_hz = soundfile.read(file, dtype="float32")
    return replace(clip, audio=Audio(np.asarray(heard, np.float32), rate_hz))


def out_of_a_mix(clip: Clip, generator: np.random.Generator) -> Clip:
    """Play it with a practice band, 10 dB softer to 3 dB louder, and let the starter take the drums out again."""
    drums, rate_hz = clip.audio.samples[0], clip.audio.rate_hz
    tempo_bpm = generator.uniform(84, 132)
    bars = math.ceil(clip.audio.seconds * tempo_bpm / 240)
    stems = compose(generator, bars=bars, tempo_bpm=tempo_bpm, rate_hz=rate_hz).stems
    band = np.sum([stem.samples for name, stem in stems.items() if name != "drums"], axis=0)[:, : len(drums)]
    band *= np.sqrt(np.mean(drums**2) / np.mean(band**2)) * 10 ** (generator.uniform(-10, 3) / 20)
    with on_threads(1):  # so that it sounds the same on every machine
        heard = separate(Audio(drums + band, rate_hz), _starter())["drums"]
    return replace(clip, audio=heard.mono())


@lru_cache(maxsize=1)
def _starter() -> Separator:
    return load_separator(SEPARATOR, "drums")
