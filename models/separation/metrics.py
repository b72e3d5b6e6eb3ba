"""How well stems are separated, each number with its exact name and beside what costs nothing.

    usdr(reference, estimate)           # 10 log10(Σ s² / Σ e²) over the whole stem, as leaderboards count
    csdr(reference, estimate, rate_hz)  # median of the same over seconds, as museval's SDR counts
    si_sdr(reference, estimate)         # whatever the estimate's loudness
    estimates_of_nobody(stems)          # zeros, the mixture, and the ideal ratio mask (which knows the answer)
    median_of_songs(values)             # median and its 95 % interval, songs drawn again

A stem that is silent has no ratio: `is_silent` tells, and whoever gathers songs leaves it out. Nothing here is ever NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import istft, stft

Samples = NDArray[np.floating]
# s stems, c channels, t samples
FLOOR = 1e-7
"""Mean power added to both sides of a ratio, 70 dB below full scale."""
SILENT = 1e-9
DRAWS = 2000


def is_silent(stem: Samples) -> bool:
    """[c, t] -> whether nothing is heard in it."""
    return _power(stem) < SILENT


def usdr(reference: Samples, estimate: Samples) -> float:
    """[c, t] each -> dB; zeros as the estimate give 0."""
    return _ratio_db(_power(reference), _power(reference - estimate))


def si_sdr(reference: Samples, estimate: Samples) -> float:
    """[c, t] each -> dB after the reference was given the loudness that suits the estimate best."""
    reference, estimate = (np.asarray(sound, np.float64) for sound in (reference, estimate))
    fitted = (reference * estimate).sum() / max((reference**2).sum(), 1e-12) * reference
    return _ratio_db(_power(fitted), _power(estimate - fitted))


def csdr(reference: Samples, estimate: Samples, rate_hz: int) -> float:
    """[c, t] each -> dB: the median over whole seconds in which the stem is heard, or over all of it when it is shorter."""
    seconds = range(0, max(1, reference.shape[1] - rate_hz + 1), rate_hz)
    cut = [(reference[:, at : at + rate_hz], estimate[:, at : at + rate_hz]) for at in seconds]
    heard = [usdr(*second) for second in cut if not is_silent(second[0])]
    return float(np.median(heard)) if heard else 0.0


@dataclass(frozen=True)
class Spread:
    """A median and the interval that holds 95 % of medians when songs are drawn again."""

    median: float
    low: float
    high: float
    songs: int


def median_of_songs(values: Sequence[float], seed: int = 0) -> Spread:
    """Gather one number of every song; of no song at all nothing is known, and all of it is 0."""
    if not len(values):
        return Spread(0.0, 0.0, 0.0, 0)
    array = np.asarray(values, np.float64)
    drawn = array[np.random.default_rng(seed).integers(len(array), size=(DRAWS, len(array)))]
    low, high = np.quantile(np.median(drawn, 1), (0.025, 0.975))
    return Spread(float(np.median(array)), float(low), float(high), len(array))


def estimates_of_nobody(stems: Samples) -> dict[str, Samples]:
    """[s, c, t] -> what to compare with: two estimates that cost nothing and one that knows the answer."""
    mixture = stems.sum(0)
    return {
        "zeros": np.zeros_like(stems),
        "mixture": np.broadcast_to(mixture, stems.shape),
        "ideal ratio mask": ideal_ratio_mask(stems),
    }


def ideal_ratio_mask(stems: Samples, n_fft: int = 2048) -> Samples:
    """[s, c, t] -> the mixture's spectrum, shared out in the ratio of the true magnitudes."""
    size = min(n_fft, 2 * max(1, stems.shape[-1] // 2))
    apart, together = _spectra(stems, size), _spectra(stems.sum(0), size)
    share = np.abs(apart) / np.maximum(np.abs(apart).sum(0), 1e-9)
    sound = istft(share * together, nperseg=size, noverlap=size * 3 // 4)[1][..., : stems.shape[-1]]
    return np.pad(sound, ((0, 0), (0, 0), (0, stems.shape[-1] - sound.shape[-1]))).astype(stems.dtype)


def _spectra(sound: Samples, size: int) -> NDArray[np.complexfloating]:
    return stft(sound, nperseg=size, noverlap=size * 3 // 4)[2]


def bss_eval(references: Samples, estimates: Samples, rate_hz: int) -> dict[str, NDArray[np.float64]]:
    """SDR, SIR and SAR of BSS Eval v4 by museval: [s] each, medians over seconds; it takes twice the song's own length.

    museval refuses a song with a silent stem; those stems are left out before and have 0 here.
    """
    from museval.metrics import bss_eval as judge

    heard = [
        not is_silent(reference) and not is_silent(estimate)
        for reference, estimate in zip(references, estimates, strict=True)
    ]
    found = {name: np.zeros(len(references)) for name in ("sdr", "sir", "sar")}
    if any(heard):
        second = min(rate_hz, references.shape[-1])
        truth, answer = (np.swapaxes(sound[heard], 1, 2).astype(np.float64) for sound in (references, estimates))
        sdr, _, sir, sar, _ = judge(truth, answer, window=second, hop=second)
        for name, values in (("sdr", sdr), ("sir", sir), ("sar", sar)):
            seconds = np.where(np.isfinite(values), values, np.nan)
            told = [float(np.nanmedian(row)) if np.isfinite(row).any() else 0.0 for row in seconds]
            found[name][heard] = told
    return found


def _ratio_db(signal: float, error: float) -> float:
    return float(10 * np.log10((signal + FLOOR) / (error + FLOOR)))


def _power(sound: Samples) -> float:
    return float(np.mean(np.square(sound, dtype=np.float64)))
