"""The pulse of drums: how strongly hits begin, at which tempi that repeats, and what a bar would then hold.

    curves = hear(audio)                       # float64[n, 3]: beginnings of low, middle and high sounds
    for reading in readings(curves):           # the ways to count it, an octave or a triplet apart
        reading.bpm, reading.beats, reading.bars

How: spectral flux in three bands, kick, snare and cymbals; peaks of its autocorrelation, summed over one to four beats,
are the tempi to try. For each one, dynamic programming lays beats along the hits (Ellis 2007), so that a drummer may
drift, and the flux between the beats is folded to one bar of sixteen steps. Which step is the first of the bar is left
open: a reading has sixteen answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, uniform_filter1d
from scipy.signal import savgol_filter

from models.music.audio import Audio

# n frames, b bands, s steps of the bar, k beats, l lags
RATE_HZ, WINDOW, HOP = 22_050, 512, 220
FRAMES_A_SECOND = RATE_HZ / HOP
BANDS_HZ = ((30.0, 140.0), (500.0, 2500.0), (5500.0, 11_000.0))
LAG_FRAMES = 2
BLOCK_FRAMES = 4096
LOUDNESS = 1000.0
"""log(1 + LOUDNESS * level): 60 dB under the peak a hit has all but vanished."""
SLOWEST_BPM, FASTEST_BPM = 50.0, 240.0
TEMPI = 8
"""So many tempi are tried."""
TIGHT = 100.0
"""What a beat that comes early or late costs: TIGHT * log(interval / period)^2, in deviations of the flux."""
STEPS = 16
REPEATS = (0.25, 1 / 3, 0.5, 2 / 3, 1.0, 2.0, 4.0)
"""After so many beats it is asked whether the flux repeats: sixteenths, triplets, eighths, a shuffle, up to the bar."""

Curve = NDArray[np.float64]


class Reading(NamedTuple):
    """One way to count."""

    bpm: float
    beats: Curve
    """Frames of the beats, float64[k], one before the first frame and one after the last among them."""
    repeats: Curve
    """Autocorrelation of the flux after REPEATS beats."""
    bars: Curve
    """float64[16, features]: what speaks for it, were the first, second … sixteenth step the beginning of the bar."""

    def steps_from(self, first: int, stride: int) -> Curve:
        """Give the frames of every stride-th sixteenth from a step on."""
        steps = np.arange(first, STEPS // 4 * (len(self.beats) - 1) + 1, stride)
        return np.interp(steps / 4, np.arange(len(self.beats)), self.beats)


def hear(audio: Audio) -> Curve:
    """Measure how strongly sounds begin, frame by frame and band by band."""
    sound = audio.mono().at_rate(RATE_HZ).samples[0]
    sound = np.pad(sound / max(float(np.abs(sound).max()), 1e-9), (WINDOW // 2, WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP]
    window = np.hanning(WINDOW).astype(np.float32)
    hz = np.fft.rfftfreq(WINDOW, 1 / RATE_HZ)
    bands = [np.flatnonzero((hz >= low) & (hz < high)) for low, high in BANDS_HZ]
    level = np.zeros((len(frames), len(bands)))
    for start in range(0, len(frames), BLOCK_FRAMES):
        power = np.abs(np.fft.rfft(frames[start : start + BLOCK_FRAMES] * (window / window.sum()), axis=1)) ** 2
        level[start : start + BLOCK_FRAMES] = np.stack([np.sqrt(power[:, band].mean(1)) for band in bands], 1)
    loudness = np.pad(np.log1p(LOUDNESS * level), ((LAG_FRAMES, 0), (0, 0)))  # before the first hit there was silence
    return np.maximum(0.0, loudness[LAG_FRAMES:] - loudness[:-LAG_FRAMES])


def readings(curves: Curve, tempi_bpm: Sequence[float] = ()) -> Iterator[Reading]:
    """Try the tempi at which the flux repeats, or the given ones."""
    flux = np.maximum(0.0, curves - uniform_filter1d(curves, round(FRAMES_A_SECOND), axis=0, mode="nearest") / 2)
    flux = flux / (flux.std(0) + 1e-9)
    together = gaussian_filter1d(flux.mean(1), 1.0)
    together = together / (together.std() + 1e-9)
    echo = _autocorrelation(together)
    for bpm in tempi_bpm or _repeating_tempi(echo):
        laid = _lay_beats(together, 60 * FRAMES_A_SECOND / bpm)
        if len(laid) > 2:
            yield _reading(flux, together, echo, laid)


def _repeating_tempi(echo: Curve) -> list[float]:
    """Find the tempi whose first four beats repeat most."""
    bpm = np.exp(np.arange(np.log(SLOWEST_BPM), np.log(FASTEST_BPM), 0.01))
    period = 60 * FRAMES_A_SECOND / bpm
    strength = np.mean([np.interp(beats * period, np.arange(len(echo)), echo) for beats in (1, 2, 3, 4)], 0)
    peaks = 1 + np.flatnonzero((strength[1:-1] > strength[:-2]) & (strength[1:-1] >= strength[2:]))
    return bpm[peaks[np.argsort(-strength[peaks])][:TEMPI]].tolist()


def _autocorrelation(curve: Curve) -> Curve:
    """How much a curve resembles itself later, up to a slow bar; 1 is entirely."""
    lags = round(4.2 * 60 / SLOWEST_BPM * FRAMES_A_SECOND)
    centred, frames = curve - curve.mean(), len(curve)
    spectrum = np.fft.rfft(centred, 2 * frames)
    echo = np.fft.irfft(np.abs(spectrum) ** 2)[: min(lags, frames)]
    echo /= np.maximum(frames - np.arange(len(echo)), frames // 4 or 1)
    return np.pad(echo / (echo[0] + 1e-12), (0, lags - len(echo)))


def _lay_beats(curve: Curve, period: float) -> Curve:
    """Lay beats about a period apart where hits begin: the frames of the best row of beats."""
    soonest, latest = max(1, round(0.8 * period)), round(1.25 * period) + 1
    lags = np.arange(soonest, latest + 1)
    cost = TIGHT * np.log(lags / period) ** 2
    score, before = np.zeros(latest + len(curve)), np.full(len(curve), -1)
    for start in range(0, len(curve), soonest):  # no beat of a block follows another of the same block
        frames = np.arange(start, min(start + soonest, len(curve)))
        behind = score[frames[:, None] + latest - lags] - cost
        best = behind.argmax(1)
        gain = behind[np.arange(len(frames)), best]
        score[frames + latest] = curve[frames] + np.maximum(gain, 0.0)
        before[frames] = np.where(gain > 0, frames - lags[best], -1)
    last = max(0, len(curve) - round(period))
    frame, beats = last + int(score[latest + last :].argmax()), []
    while frame >= 0:
        beats.append(frame)
        frame = before[frame]
    return np.array(beats[::-1], np.float64)


def _reading(flux: Curve, together: Curve, echo: Curve, laid: Curve) -> Reading:
    period = float(np.polyfit(np.arange(len(laid)), laid, 1)[0])
    neighbours = min(9, len(laid) - 1 + len(laid) % 2)
    calm = np.asarray(savgol_filter(laid, neighbours, 1))  # on a line through them
    beats = _to_both_ends(calm, len(flux))
    bar = np.sqrt(_fold(flux, beats))
    bpm = 60 * FRAMES_A_SECOND / period
    octaves = np.log2(bpm / 110)
    inside = beats[(beats >= 0) & (beats < len(flux))]
    on_beat = np.interp(inside, np.arange(len(together)), together).mean()
    astray = 10 * np.abs(laid - calm).mean() / period
    repeats = np.interp(np.array(REPEATS) * period, np.arange(len(echo)), echo)
    whole = np.array([octaves, octaves**2, *repeats, on_beat, astray])
    bars = np.stack([np.concatenate([np.roll(bar, -first, 0).ravel(), whole]) for first in range(STEPS)])
    return Reading(bpm, beats, repeats, bars)


def _to_both_ends(beats: Curve, frames: int) -> Curve:
    """Go on with the nearest beats' tempo, up to one beat before the beginning and after the end."""
    first, last = np.median(np.diff(beats[:9])), np.median(np.diff(beats[-9:]))
    before = beats[0] - first * np.arange(int(beats[0] // first) + 1, 0, -1)
    after = beats[-1] + last * np.arange(1, int((frames - beats[-1]) // last) + 2)
    return np.concatenate([before, beats, after])


def _fold(flux: Curve, beats: Curve) -> Curve:
    """Sum the flux around each sixteenth and average over the bars: float64[16, b], 1 on average in each band."""
    places = np.arange(4 * (len(beats) - 1))
    middle = np.interp(places / 4, np.arange(len(beats)), beats)
    half = float(np.median(np.diff(beats))) / 8
    summed = np.vstack([np.zeros(flux.shape[1]), np.cumsum(flux, 0)])
    edges = np.arange(len(summed))
    upto = [[np.interp(middle + 0.5 + side, edges, band) for band in summed.T] for side in (-half, half)]
    around = (np.array(upto[1]) - np.array(upto[0])).T
    heard = (middle >= 0) & (middle < len(flux))
    bar, counted = np.zeros((STEPS, flux.shape[1])), np.zeros(STEPS)
    np.add.at(bar, places[heard] % STEPS, around[heard])
    np.add.at(counted, places[heard] % STEPS, 1)
    bar /= np.maximum(counted, 1)[:, None]
    return bar / (bar.mean(0) + 1e-3 * bar.mean() + 1e-9)
