"""The eleven features of one-shots, measured for many at once; one file is a batch of one.

    features = measure([clip, ...])                  # clips as listening.prepare gives them
    table = np.stack([f.as_array() for f in features])

What other libraries define too (RMS, centroid, flatness, zero crossings) has the same numbers as theirs, to 1e-3, once
their frames are weighted by energy: plain means differ by up to 62 % on silent tails.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.drums.roles.listening import BLOCK, FRAME, Clip, Frames, batches, bin_hz, listen
from models.drums.roles.types import DSPFeatures
from models.music.audio import LISTENING_RATE_HZ
from models.music.errors import BadConfig

RISE_DB = 80.0  # a band can rise from the floor to the clip's loudest moment
POWER_FLOOR = 1e-10
WINDOW = 64  # of the envelope, in samples: 4 ms


@dataclass(frozen=True)
class DSPConfig:
    """What the features are measured over."""

    attack_window_s: float = 0.08
    """An attack this long or longer counts as 1."""
    attack_from: float = 0.10
    """The onset is where the envelope first reaches this share of its peak."""
    attack_to: float = 0.90
    """The attack ends at this share of the peak."""
    decay_window_s: float = 0.60
    """A decay this long or longer counts as 1."""
    decay_to: float = 0.30
    """The decay ends where the envelope last was at this share of the peak."""
    low_hz: tuple[float, float] = (20.0, 150.0)
    """Band of low_ratio."""
    mid_hz: tuple[float, float] = (150.0, 2_000.0)
    """Band of mid_ratio."""
    high_hz: tuple[float, float] = (2_000.0, 8_000.0)
    """Band of high_ratio."""
    crest_db: float = 40.0
    """A crest factor this high counts as 1."""

    def __post_init__(self) -> None:
        for name in ("attack_window_s", "decay_window_s", "crest_db"):
            if getattr(self, name) <= 0:
                raise BadConfig(f"dsp: {name} is {getattr(self, name)}; it must be above 0.")


def measure(clips: Sequence[Clip], config: DSPConfig | None = None) -> list[DSPFeatures]:
    """Measure prepared clips."""
    config = config or DSPConfig()
    return [features for batch in batches(clips) for features in measure_frames(listen(batch), config)]


def measure_frames(frames: Frames, config: DSPConfig) -> list[DSPFeatures]:
    """Measure clips whose frames are there already, one DSPFeatures a clip."""
    attack, decay = _attack_and_decay(frames, config)
    columns = [
        frames.peak(frames.rms),
        _sharpness(frames),
        attack,
        decay,
        *_band_ratios(frames, config),
        frames.weighted_mean(_flatness(frames.power)),
        frames.weighted_mean(_zero_crossing_rate(frames)),
        frames.weighted_mean(_centroid(frames)) / (LISTENING_RATE_HZ / 2),
        _crest(frames, config),
    ]
    table = np.clip(np.stack(columns, axis=1), 0.0, 1.0)
    return [DSPFeatures(*map(float, row)) for row in table]


def _sharpness(frames: Frames) -> NDArray[np.float64]:
    """The frame in which the mel bands rise most: mean rise in dB over what is possible."""
    loudest = frames.peak(frames.mel.max(axis=1))
    loudness = 10 * np.log10(np.maximum(frames.mel, POWER_FLOOR))
    floor = 10 * np.log10(np.maximum(loudest, POWER_FLOOR)) - RISE_DB
    loudness = np.maximum(loudness, np.repeat(floor, frames.counts)[:, None])
    before = np.concatenate([loudness[:1], loudness[:-1]])
    before[frames.starts] = floor[:, None]  # before a clip there was silence
    rise = np.maximum(loudness - before, 0.0).mean(axis=1)
    return frames.peak(rise) / RISE_DB


def _band_ratios(frames: Frames, config: DSPConfig) -> list[NDArray[np.float64]]:
    hz = bin_hz()
    bands = (config.low_hz, config.mid_hz, (config.high_hz[0], config.high_hz[1] + 1))  # 8 kHz is the last bin
    members = np.stack([(hz >= low) & (hz < high) for low, high in bands], axis=1).astype(np.float32)
    band_power = frames.total(frames.power @ members)
    return list((band_power / np.maximum(band_power.sum(1, keepdims=True), POWER_FLOOR)).T)


def _flatness(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32[f]: geometric over arithmetic mean of each frame's power."""
    power = np.maximum(power, np.float32(POWER_FLOOR))
    third = power.shape[1] // 3  # one logarithm for three bins: their product is within float32
    logs = np.log(power[:, :third] * power[:, third : 2 * third] * power[:, 2 * third :])
    return np.exp(logs.sum(axis=1) / power.shape[1]) / power.mean(axis=1)


def _zero_crossing_rate(frames: Frames) -> NDArray[np.float64]:
    """float64[f]: changes of sign inside each frame, a sample."""
    negative = frames.samples < -1e-10
    changed = np.zeros(len(negative), bool)
    np.not_equal(negative[1:], negative[:-1], out=changed[1:])
    changed[frames.begins] = changed[frames.begins + frames.lengths] = False  # silence has no sign
    running = np.concatenate([[0], np.cumsum(np.add.reduce(changed.reshape(-1, BLOCK), axis=1, dtype=np.int32))])
    within = running[(frames.places + FRAME) // BLOCK] - running[frames.places // BLOCK] - changed[frames.places]
    return within / FRAME


def _centroid(frames: Frames) -> NDArray[np.float32]:
    """float32[f]: each frame's centre of magnitude in Hz."""
    magnitude = frames.magnitude
    return magnitude @ bin_hz() / np.maximum(magnitude.sum(axis=1), np.float32(POWER_FLOOR))


def _crest(frames: Frames, config: DSPConfig) -> NDArray[np.float64]:
    whole = -(-frames.lengths // BLOCK) * BLOCK
    power = frames.energy(frames.begins, whole) / frames.lengths
    peaks = np.maximum.reduceat(np.abs(frames.samples), frames.begins)
    return 20 * np.log10(peaks / np.sqrt(np.maximum(power, 1e-20))) / config.crest_db


def _attack_and_decay(frames: Frames, config: DSPConfig) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Time every clip on its envelope: RMS over 4 ms, every 1 ms."""
    times = np.empty((2, len(frames.begins)))
    for index, (begin, length) in enumerate(zip(frames.begins, frames.lengths, strict=True)):
        envelope = np.sqrt(frames.energy(np.arange(begin - WINDOW // 2, begin + length, BLOCK), WINDOW))
        top = int(envelope.argmax())
        peak = envelope[top]
        onset = int(np.argmax(envelope >= config.attack_from * peak))
        reached = int(np.argmax(envelope >= config.attack_to * peak))
        last = top + int(np.flatnonzero(envelope[top:] >= config.decay_to * peak)[-1])
        times[:, index] = (reached - onset), (last - top)
    times *= BLOCK / LISTENING_RATE_HZ
    return times[0] / config.attack_window_s, times[1] / config.decay_window_s
