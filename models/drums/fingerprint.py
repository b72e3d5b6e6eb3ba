"""What a hit sounds like, as numbers to compare: a fingerprint for the first look, a listening pair for the second.

    look = close_look(sound)                         # for distance_db(look, other) and likeness(look, other)
    prints = fingerprints([look, other])             # float32[h, d], unit length: prints @ prints.T is the cosine

A fingerprint is MFCCs without the loudness coefficient, of four stretches of the hit, z-scored. Raw ones are all alike
(c0 alone makes 30 to 60 % of pairs of different drums exceed 0.98). The means and spreads are constants, taken once
from the practice room's sounds (`reference_statistics`), never from the library at hand: two hits then compare the same
whoever else is there, and a library of three needs no special rule.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from models.music.audio import Audio
from models.music.files import read_json

# h hits, t samples, n frames, m mel bands, k cepstral coefficients, d numbers of a fingerprint
RATE_HZ, WINDOW, HOP, LISTEN_S = 22_050, 512, 128, 0.4
MEL_BANDS, LOWEST_HZ, HIGHEST_HZ, COEFFICIENTS = 40, 50.0, 9_500.0, 8
STRETCHES_MS = (0, 40, 100, 200, 400)
FLOOR_DB = -38.0
ATTACK_DB, BEFORE_ATTACK_MS = -20.0, 2.0
WAVE_S, MAX_SHIFT_MS, FINER = 0.2, 4.0, 4
REFERENCE = Path(__file__).with_name("fingerprint.json")


class CloseLook(NamedTuple):
    """One hit, aligned on its attack, ready for the second comparison."""

    level_db: NDArray[np.float32]
    """float32[n, m], 0 at the loudest, FLOOR_DB where there is nothing."""
    wave: NDArray[np.float32]
    """float32[t] at RATE_HZ, unit energy."""


def close_look(sound: Audio) -> CloseLook:
    """Listen to the first 0.4 s from the attack on."""
    mono = sound.mono().at_rate(RATE_HZ).samples[0]
    loud = np.abs(mono) >= np.abs(mono).max() * 10 ** (ATTACK_DB / 20)
    first = max(0, int(loud.argmax()) - round(BEFORE_ATTACK_MS * RATE_HZ / 1000))
    heard = np.zeros(round(LISTEN_S * RATE_HZ), np.float32)
    part = mono[first : first + len(heard)]
    heard[: len(part)] = part
    wave = heard[: round(WAVE_S * RATE_HZ)]
    return CloseLook(_level_db(heard), wave / max(float(np.sqrt(np.sum(wave**2))), 1e-9))


def fingerprints(looks: list[CloseLook]) -> NDArray[np.float32]:
    """Describe every hit by d z-scored numbers of unit length, float32[h, d]."""
    raw = descriptions(looks)
    means, spreads = reference()
    scored = (raw - means) / spreads
    return (scored / np.maximum(np.linalg.norm(scored, axis=1, keepdims=True), 1e-9)).astype(np.float32)


def descriptions(looks: list[CloseLook]) -> NDArray[np.float64]:
    """MFCCs without c0 of each stretch, and how loud the later stretches are under the first; float64[h, d]."""
    power = 10 ** (np.stack([look.level_db for look in looks]).astype(np.float64) / 10)  # [h, n, m]
    edges = [round(ms / 1000 * RATE_HZ / HOP) for ms in STRETCHES_MS]
    means = np.stack([power[:, a:b].mean(1) for a, b in pairwise(edges)], 1)  # [h, stretch, m]
    level_db = np.maximum(10 * np.log10(means), FLOOR_DB)
    cepstra = np.asarray(dct(level_db, axis=2, norm="ortho"))[:, :, 1:COEFFICIENTS]
    loudness_db = np.maximum(10 * np.log10(means.mean(2)), FLOOR_DB)
    return np.concatenate([cepstra.reshape(len(looks), -1), loudness_db[:, 1:] - loudness_db[:, :1]], 1)


def reference_statistics(sounds: list[Audio]) -> dict[str, list[float]]:
    """Means and spreads to z-score by; fingerprint.json holds those of the practice room, 40 sounds of each kind."""
    raw = descriptions([close_look(sound) for sound in sounds])
    return {"means": raw.mean(0).round(3).tolist(), "spreads": np.maximum(raw.std(0), 0.1).round(3).tolist()}


@lru_cache(maxsize=1)
def reference() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    stored = read_json(REFERENCE)
    return np.array(stored["means"]), np.array(stored["spreads"])


def distance_db(one: CloseLook, other: CloseLook) -> float:
    """Mean difference in dB wherever at least one of the two sounds."""
    sounding = (one.level_db > FLOOR_DB) | (other.level_db > FLOOR_DB)
    return float(np.abs(one.level_db - other.level_db)[sounding].mean())


def likeness(one: CloseLook, other: CloseLook) -> float:
    """Highest correlation of the two waves within MAX_SHIFT_MS; 1 is the same recording, whatever its gain."""
    size = 2 * len(one.wave)
    spectrum = np.fft.rfft(one.wave, size) * np.fft.rfft(other.wave, size).conj()
    lags = FINER * np.fft.irfft(spectrum, FINER * size)
    reach = round(MAX_SHIFT_MS * RATE_HZ * FINER / 1000)
    return float(np.abs(np.concatenate([lags[: reach + 1], lags[-reach:]])).max())


def _level_db(heard: NDArray[np.float32]) -> NDArray[np.float32]:
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(heard, (WINDOW // 2, WINDOW // 2)), WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32), axis=1)) ** 2 @ _mel_bank()
    level_db = 10 * np.log10(power / max(float(power.max()), 1e-12) + 1e-12)
    return np.maximum(level_db, FLOOR_DB).astype(np.float32)


@lru_cache(maxsize=1)
def _mel_bank() -> NDArray[np.float32]:
    """Triangles evenly spaced in mel, float32[bins, m]; narrow ones keep at least their nearest bin."""
    low_mel, high_mel = (2595 * np.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    mel = np.linspace(low_mel, high_mel, MEL_BANDS + 2)
    edges_hz = 700 * (10 ** (mel / 2595) - 1)
    bins_hz = np.arange(WINDOW // 2 + 1) * RATE_HZ / WINDOW
    corners = np.lib.stride_tricks.sliding_window_view(edges_hz, 3)
    bank = np.stack([np.interp(bins_hz, three, (0.0, 1.0, 0.0)) for three in corners], 1)
    nearest = np.abs(bins_hz[:, None] - edges_hz[1:-1]).argmin(0)
    bank[nearest, np.arange(MEL_BANDS)] = np.maximum(bank[nearest, np.arange(MEL_BANDS)], 0.5)
    return bank.astype(np.float32)
