"""Basses, keys and singers made of oscillators, filters and breath: what plays in models/practice/stem_songs.py.

    sound = BASSES["picked"](synth, pitch=40, seconds=0.5)        # float64[t], at most about 1
    SINGERS["alto"](synth, ...)

Each has a familiar list and an unfamiliar one: who learns from the familiar can be examined on what they never heard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

Samples = NDArray[np.float64]
VOWELS_HZ = {
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}


@dataclass(frozen=True)
class Synth:
    """The harmonics and filters that every note is made with; drums have a workbench of their own (drum_bench.py)."""

    generator: np.random.Generator
    rate_hz: int

    def time(self, seconds: float) -> Samples:
        return np.arange(max(8, round(seconds * self.rate_hz))) / self.rate_hz

    def harmonics(self, phase: Samples, hz: float, amplitudes: Samples) -> Samples:
        """Add harmonics of a phase in turns, those below the limit of hearing."""
        kept = np.arange(1, len(amplitudes) + 1) * hz < 0.45 * self.rate_hz
        return sum((a * np.sin(2 * np.pi * n * phase) for n, a in enumerate(amplitudes[kept], 1)), np.zeros(len(phase)))

    def low(self, sound: Samples, hz: float, order: int = 2) -> Samples:
        return np.asarray(sosfilt(butter(order, min(hz, 0.45 * self.rate_hz), fs=self.rate_hz, output="sos"), sound))

    def band(self, sound: Samples, hz: float, width_hz: float) -> Samples:
        edges = max(30.0, hz - width_hz / 2), min(0.45 * self.rate_hz, hz + width_hz / 2)
        return np.asarray(sosfilt(butter(1, edges, "bandpass", fs=self.rate_hz, output="sos"), sound))


Instrument: TypeAlias = Callable[[Synth, float, float], Samples]
"""(synth, pitch in semitones, seconds) -> samples."""


def hz_of(pitch: float) -> float:
    return 440 * 2 ** ((pitch - 69) / 12)


def shaped(sound: Samples, time: Samples, attack_s: float, release_s: float, decay_s: float = 0.0) -> Samples:
    """Rise, fall to a thousandth in decay_s (0 never falls), and end without a click."""
    envelope = np.minimum(1.0, np.minimum((time + 1e-4) / attack_s, (time[-1] - time) / release_s))
    return sound * envelope * (10 ** (-3 * time / decay_s) if decay_s else 1.0)


# Basses


def _sub(synth: Synth, pitch: float, seconds: float) -> Samples:
    time = synth.time(seconds)
    sound = synth.harmonics(time * hz_of(pitch), hz_of(pitch), np.array([1.0, 0.15, 0.05]))
    return shaped(sound, time, 0.01, 0.03)


def _saw_bass(synth: Synth, pitch: float, seconds: float) -> Samples:
    time = synth.time(seconds)
    saw = 2 * (time * hz_of(pitch) % 1) - 1
    return shaped(synth.low(saw, 4 * hz_of(pitch) + 200), time, 0.004, 0.03, 2.5)


def _square_bass(synth: Synth, pitch: float, seconds: float) -> Samples:
    time = synth.time(seconds)
    square = np.sign(np.sin(2 * np.pi * time * hz_of(pitch)))
    return 0.8 * shaped(synth.low(square, 600), time, 0.004, 0.03, 3.0)


def _picked(synth: Synth, pitch: float, seconds: float) -> Samples:
    time = synth.time(seconds)
    numbers = np.arange(1, 13)
    kept = numbers[numbers * hz_of(pitch) < 0.45 * synth.rate_hz]
    partials = [np.sin(2 * np.pi * n * hz_of(pitch) * time) / n * 10 ** (-3 * time * (0.4 + 0.25 * n)) for n in kept]
    return shaped(np.sum(partials, 0), time, 0.003, 0.02)


def _growl(synth: Synth, pitch: float, seconds: float) -> Samples:
    time = synth.time(seconds)
    turn = np.sin(2 * np.pi * hz_of(pitch) * time)
    return shaped(np.sin(2 * np.pi * hz_of(pitch) * time + 2.5 * np.exp(-3 * time) * turn), time, 0.005, 0.03)


def _octaves(synth: Synth, pitch: float, seconds: float) -> Samples:
    time = synth.time(seconds)
    triangle = 4 * np.abs(time * hz_of(pitch) % 1 - 0.5) - 1
    above = 4 * np.abs(time * hz_of(pitch + 12) % 1 - 0.5) - 1
    return shaped(0.7 * triangle + 0.4 * above, time, 0.005, 0.03, 4.0)


# Keys


def _plucked(synth: Synth, pitch: float, seconds: float) -> Samples:
    time = synth.time(seconds)
    numbers = np.arange(1, 16)
    kept = numbers[numbers * hz_of(pitch) < 0.45 * synth.rate_hz]
    partials = [np.sin(2 * np.pi * n * hz_of(pitch) * time) / n * 10 ** (-3 * time * (0.5 + 0.3 * n)) for n in kept]
    return shaped(np.sum(partials, 0), time, 0.002, 0.03)


def _pad(synth: Synth, pitch: float, seconds: float) -> Samples:
    time = synth.time(seconds)
    tuned = hz_of(pitch) * (1 + np.array([-0.004, 0.0, 0.005]))
    saws = np.sum([2 * ((time * hz + synth.generator.random()) % 1) - 1 for hz in tuned], 0) / 3
    return 0.7 * shaped(synth.low(saws, synth.generator.uniform(900, 2800)), time, 0.15, 0.2)


def _electric_piano(synth: Synth, pitch: float, seconds: float) -> Samples:
    time = synth.time(seconds)
    hz = hz_of(pitch)
    struck = np.sin(2 * np.pi * 14 * hz * time) * np.exp(-25 * time) if 14 * hz < 0.45 * synth.rate_hz else 0.0
    body = np.sin(2 * np.pi * hz * time + 1.2 * np.exp(-4 * time) * np.sin(2 * np.pi * hz * time))
    return shaped(body + 0.2 * struck, time, 0.002, 0.05, 2.5)


def _organ(synth: Synth, pitch: float, seconds: float) -> Samples:
    time = synth.time(seconds)
    bars = synth.generator.uniform(0.2, 1.0, 6) * np.array([1, 0.8, 0.5, 0.4, 0.2, 0.3])
    wobble = 0.002 * np.sin(2 * np.pi * 6 * time)
    return 0.6 * shaped(synth.harmonics(time * hz_of(pitch) + wobble, hz_of(pitch), bars), time, 0.01, 0.03)


def _bell(synth: Synth, pitch: float, seconds: float) -> Samples:
    time = synth.time(seconds)
    hz = hz_of(pitch)
    return shaped(
        np.sin(2 * np.pi * hz * time + 3 * np.exp(-2 * time) * np.sin(7 * np.pi * hz * time)), time, 0.002, 0.05, 3
    )


def _brass(synth: Synth, pitch: float, seconds: float) -> Samples:
    time = synth.time(seconds)
    saw = 2 * (time * hz_of(pitch) % 1) - 1
    dark, bright = synth.low(saw, 500), synth.low(saw, 4000)
    open_ = np.clip(time / 0.12, 0, 1) * np.exp(-time)
    return 0.7 * shaped(dark * (1 - open_) + bright * open_, time, 0.04, 0.06)


# Singers


def _singer(throat: float, breath: float, vibrato: float) -> Instrument:
    """A glottal pulse through three formants, with vibrato, a consonant before and breath in it."""

    def sing(synth: Synth, pitch: float, seconds: float) -> Samples:
        time, generator = synth.time(seconds), synth.generator
        waver = vibrato * np.clip(time / 0.25 - 0.5, 0, 1) * np.sin(2 * np.pi * generator.uniform(4.8, 6.2) * time)
        scoop = -0.03 * np.exp(-time / 0.04)
        phase = np.cumsum(hz_of(pitch) * (1 + waver + scoop)) / synth.rate_hz
        pulses = synth.harmonics(phase, hz_of(pitch), 1 / np.arange(1, 33) ** 0.9)
        source = pulses + breath * generator.standard_normal(len(time))
        formants = VOWELS_HZ[str(generator.choice(list(VOWELS_HZ)))]
        widths, levels = (90, 120, 170), (1.0, 0.7, 0.4)
        voiced = [a * synth.band(source, throat * f, w) for f, w, a in zip(formants, widths, levels, strict=True)]
        consonant = synth.band(generator.standard_normal(len(time)), generator.uniform(3000, 8000), 3000)
        sung = shaped(np.sum(voiced, 0), time, 0.04, 0.06)
        return 1.6 * sung + generator.uniform(0.0, 0.25) * consonant * np.exp(-time / 0.02)

    return sing


BASSES: Mapping[str, Instrument] = {"sub": _sub, "saw": _saw_bass, "square": _square_bass, "picked": _picked}
KEYS: Mapping[str, Instrument] = {
    "plucked": _plucked,
    "pad": _pad,
    "electric piano": _electric_piano,
    "organ": _organ,
}
SINGERS: Mapping[str, Instrument] = {
    "tenor": _singer(1.0, 0.02, 0.008),
    "alto": _singer(1.08, 0.04, 0.006),
    "whisperer": _singer(1.04, 0.15, 0.004),
}
UNFAMILIAR_BASSES: Mapping[str, Instrument] = {"growl": _growl, "octaves": _octaves}
UNFAMILIAR_KEYS: Mapping[str, Instrument] = {"bell": _bell, "brass": _brass}
UNFAMILIAR_SINGERS: Mapping[str, Instrument] = {"child": _singer(1.22, 0.05, 0.01), "giant": _singer(0.84, 0.03, 0.005)}


def in_a_room(synth: Synth, sound: Samples, seconds: float, wet: float) -> Samples:
    """Give a voice [t] two sides [2, t] and a decaying room of noise, another one for each ear."""
    time = synth.time(seconds)
    room = synth.generator.standard_normal((2, len(time))) * 10 ** (-3 * time / seconds)
    room /= np.sqrt((room**2).sum(1, keepdims=True))
    heard = fftconvolve(sound[None], room, axes=1)[:, : len(sound)]
    return sound + wet * heard
