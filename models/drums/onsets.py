"""Find where drum hits begin, to the sample.

    onsets = find_onsets(read_audio("drums.wav"))
    onsets.seconds, onsets.strengths             # 1.0 is a hit just heard; raise OnsetConfig.threshold to hear fewer

How: spectral flux on a logarithmic filterbank whose past is widened by a maximum filter, so that vibrato and beating
make no onsets (SuperFlux, Böck and Widmer 2013), in five bands; in each band only what rises above its own local
median counts, and nothing below the noise floor does. The weighted sum of the five is one curve; its peaks may be hits.
Each peak is led back to the attack's first sample: the place that best splits the five band signals into a quiet
and a loud part (Akaike's criterion for a change of variance, as in picking earthquakes). A small learned ear
(models/drums/ear.py) then tells hits from tails that flutter; for it the bands' energies are searched too, in steps of
milliseconds, for hits so close to another that the flux holds both for one. OnsetConfig(judged=False) asks the flux
alone. A long file is heard in sections, so memory depends on a section.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, median_filter
from scipy.signal import butter, sosfilt

from models.drums.ear import LOOKS, Ear, look, read_ear
from models.music.audio import HOUSE_RATE_HZ, Audio
from models.music.errors import BadConfig

# t samples, n frames, f filters, b bands, h hits
RATE_HZ, WINDOW, HOP = HOUSE_RATE_HZ, 1024, 128
FILTERS_PER_OCTAVE, LOWEST_HZ, HIGHEST_HZ = 12, 30.0, 17_000.0
BAND_EDGES_HZ = (40.0, 180.0, 800.0, 3600.0, 7200.0, 17_000.0)
BAND_WEIGHTS = (0.080, 0.178, 0.323, 0.131, 0.343)
"""Logistic regression on real one-shots played by real drummers; divided so that the best threshold is 1."""
LAG_FRAMES, WIDEN_FILTERS, MEDIAN_FRAMES, PEAK_FRAMES = 4, 3, 31, 2
FAINTEST = 0.4
"""Fainter rises of the flux are not worth the ear's while."""
LATE = 2 * HOP
"""A flux peak stands so many samples behind the attack."""
QUICK_HOP, QUICK_WINDOW, QUICK_PEAK, QUICK_DB, QUICK_MS = 64, 256, 5, 2.0, 8.0
"""A quick rise: from windows of 6 ms over the two before them, the highest within so many steps, by so many decibels."""
SAME_MS = 4.0
"""Rises closer than this are one."""
QUICK_FLOOR, QUICK_MOST_DB = 1e-7, 20.0
LEAST_FLUX = 0.05
SECTION_S, MARGIN_S = 20.0, 0.5
SILENCE = 1e-12


@dataclass(frozen=True)
class OnsetConfig:
    """What counts as a hit."""

    threshold: float = 1.0
    """Strength a hit needs; 0.8 hears more ghost notes, 1.5 only clear hits."""
    min_gap_ms: float = 20.0
    """Onsets closer than this are one hit, the first of them."""
    gate_db: float = -60.0
    """A hit's peak may lie so far below the file's, no further."""
    search_before_ms: float = 16.0
    """How far before a flux peak the attack may begin."""
    search_after_ms: float = 12.0
    """How far after it."""
    judged: bool = True
    """Let a small learned ear look at every peak of the flux; without it the flux alone decides."""

    def __post_init__(self) -> None:
        for name in ("threshold", "min_gap_ms", "search_before_ms", "search_after_ms"):
            if not 0 < getattr(self, name) <= 1000:
                raise BadConfig(f"onsets: {name} is {getattr(self, name)}; give a number above 0, at most 1000.")
        if not -120 <= self.gate_db < 0:
            raise BadConfig(f"onsets: gate_db is {self.gate_db}; give -120 to 0 (try -60).")


class Onsets(NamedTuple):
    """Hits in order of time: float64[h] each."""

    seconds: NDArray[np.float64]
    strengths: NDArray[np.float64]


class Rises(NamedTuple):
    """Places where a hit may begin."""

    seconds: NDArray[np.float64]
    """float64[h]."""
    fluxes: NDArray[np.float64]
    """float64[h]: how strongly the spectrum rises; 1 is a hit just heard, were there no ear."""
    looks: NDArray[np.float64]
    """float64[h, l]: what the ear goes by."""


def find_onsets(audio: Audio, config: OnsetConfig | None = None, ear: Ear | None = None) -> Onsets:
    """Find every hit, with the ear that was taught or another one; silence has none."""
    config = config or OnsetConfig()
    rises = find_rises(audio, config)
    strengths = (ear or read_ear()).strengths(rises.looks, rises.fluxes) if config.judged else rises.fluxes
    heard = strengths >= config.threshold
    return _join_close(Onsets(rises.seconds[heard], strengths[heard]), config.min_gap_ms / 1000)


def find_rises(audio: Audio, config: OnsetConfig) -> Rises:
    """Find every place that may be a hit: one that the flux alone finds, or a fainter one for the ear to judge."""
    if audio.peak**2 <= SILENCE:
        return Rises(np.zeros(0), np.zeros(0), np.zeros((0, LOOKS)))
    heard = [_hear(section, audio.peak, config) for section in _sections(audio)]
    return Rises(*(np.concatenate(column) for column in zip(*heard, strict=True)))


class _Section(NamedTuple):
    sound: NDArray[np.float32]
    """float32[t] at RATE_HZ, with MARGIN_S before and after; zeros where the file has ended."""
    start_s: float
    length_s: float


def _sections(audio: Audio) -> Iterator[_Section]:
    """Cut the file into sections that overlap by their margins, mono and at the rate of analysis."""
    rate_hz, margin = audio.rate_hz, round(MARGIN_S * audio.rate_hz)
    step = round(SECTION_S * rate_hz)
    for start in range(0, audio.frames, step):
        stop = min(start + step, audio.frames)
        first, last = max(0, start - margin), min(stop + margin, audio.frames)
        part = Audio(audio.samples[:, first:last], rate_hz, audio.label).mono().at_rate(RATE_HZ).samples[0]
        before, after = ((margin - (start - first)) / rate_hz, (margin - (last - stop)) / rate_hz)
        sound = np.pad(part, (round(before * RATE_HZ), round(after * RATE_HZ) + WINDOW))
        yield _Section(sound, start / rate_hz, (stop - start) / rate_hz)


def _hear(section: _Section, peak: float, config: OnsetConfig) -> Rises:
    """Find the rises of one section; those in its margins belong to its neighbours."""
    by_band = _flux(section.sound)
    flux = by_band @ np.array(BAND_WEIGHTS)
    highest = maximum_filter1d(flux, 2 * PEAK_FRAMES + 1)
    faintest = min(FAINTEST, config.threshold) if config.judged else config.threshold
    peaks = np.flatnonzero((flux == highest) & (flux >= faintest))
    energy = _energy(section.sound)
    begins = _attacks(energy, peaks * HOP - LATE, config)
    if config.judged:
        begins, peaks = _with_quick_rises(energy, begins, peaks, flux, peak)
        flux = np.maximum(flux, LEAST_FLUX)
    loudest = maximum_filter1d(np.abs(section.sound), WINDOW, origin=-(WINDOW // 2))[begins]
    seconds = np.maximum(begins / RATE_HZ - MARGIN_S, -section.start_s)
    earliest = 0.0 if section.start_s else -np.inf
    mine = (seconds >= earliest) & (seconds < section.length_s) & (loudest > peak * 10 ** (config.gate_db / 20))
    looks = look(energy, begins, by_band[peaks], peak) if config.judged else np.zeros((len(peaks), LOOKS))
    return Rises(seconds[mine] + section.start_s, flux[peaks][mine], looks[mine])


def _flux(sound: NDArray[np.float32]) -> NDArray[np.float64]:
    """How strongly each band rises at each frame n, centred on sample n * HOP: float64[n, b], above its own median."""
    bank, bands = _filterbank()
    window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    centred = np.pad(sound, (WINDOW // 2, WINDOW // 2))
    frames = np.lib.stride_tricks.sliding_window_view(centred, WINDOW)[::HOP]
    power = (np.abs(np.fft.rfft(frames * (window / window.sum()), axis=1)) ** 2) @ bank  # [n, f]
    floor = 4 * np.percentile(power[power.max(1) > SILENCE], 10, axis=0) if power.max() > SILENCE else 0.0
    level_db = 10 * np.log10(power + np.maximum(floor, max(1e-7 * power.max(), SILENCE)))
    past = maximum_filter1d(level_db, WIDEN_FILTERS, axis=1)
    flux = np.zeros_like(level_db)
    flux[LAG_FRAMES:] = np.maximum(0.0, level_db[LAG_FRAMES:] - past[:-LAG_FRAMES])
    by_band = np.stack([flux[:, band].mean(1) for band in bands], 1)  # [n, b]
    return np.maximum(0.0, by_band - median_filter(by_band, (MEDIAN_FRAMES, 1), mode="nearest"))


@lru_cache(maxsize=1)
def _filterbank() -> tuple[NDArray[np.float32], tuple[NDArray[np.int64], ...]]:
    """Triangles on a logarithmic scale, f32[bins, f], and which of them lie in which band."""
    octaves = np.log2(HIGHEST_HZ / LOWEST_HZ)
    edges_hz = LOWEST_HZ * 2 ** (np.arange(int(octaves * FILTERS_PER_OCTAVE) + 3) / FILTERS_PER_OCTAVE)
    bins = np.unique(np.round(edges_hz * WINDOW / RATE_HZ).astype(int))
    bins = bins[(bins > 0) & (bins <= WINDOW // 2)]
    grid = np.arange(WINDOW // 2 + 1)
    corners = np.lib.stride_tricks.sliding_window_view(bins, 3)
    triangles = np.stack([np.interp(grid, three, (0.0, 1.0, 0.0)) for three in corners], 1)
    bank = (triangles / triangles.sum(0)).astype(np.float32)
    band_of = np.searchsorted(BAND_EDGES_HZ[1:-1], bins[1:-1] * RATE_HZ / WINDOW, side="right")
    return bank, tuple(np.flatnonzero(band_of == band) for band in range(len(BAND_WEIGHTS)))


def _energy(sound: NDArray[np.float32]) -> NDArray[np.float64]:
    """Sum up each band's energy before every sample: float64[b, t + 1]."""
    edges = pairwise(BAND_EDGES_HZ)
    bands = [sosfilt(butter(2, edge, "bandpass", fs=RATE_HZ, output="sos"), sound) for edge in edges]
    return np.pad(np.cumsum(np.square(bands), axis=1), ((0, 0), (1, 0)))


def _attacks(energy: NDArray[np.float64], guesses: NDArray[np.int64], config: OnsetConfig) -> NDArray[np.int64]:
    """Lead each guess to the sample where quiet turns loud: least Akaike criterion, summed over the bands."""
    before, after = (round(ms * RATE_HZ / 1000) for ms in (config.search_before_ms, config.search_after_ms))
    length = before + after
    places = np.clip(guesses, before, energy.shape[1] - after - 2)[:, None] - before
    split = np.arange(1, length)
    criterion = np.zeros((len(guesses), length - 1))
    # What lies 50 dB under the hit is no beginning: a resampler's ringing before it, the last of a tail.
    whole = energy[:, places + length] - energy[:, places]
    faint = np.maximum(1e-5 * whole.sum(0) / length, SILENCE)
    for band in energy:
        start = band[places]
        quiet = band[places + split] - start + split * faint
        loud = np.maximum(band[places + length] - start + length * faint - quiet, SILENCE)
        criterion += split * np.log(quiet / split) + (length - split) * np.log(loud / (length - split))
    edge = length // 14
    return places[:, 0] + edge + 1 + criterion[:, edge:-edge].argmin(1)


def _with_quick_rises(
    energy: NDArray[np.float64],
    begins: NDArray[np.int64],
    peaks: NDArray[np.int64],
    flux: NDArray[np.float64],
    peak: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Add the attacks of quick rises that the flux has no peak for, with the frames where it is highest near them."""
    near = OnsetConfig(search_before_ms=QUICK_MS, search_after_ms=QUICK_MS)
    quick = np.sort(_attacks(energy, _quick_rises(energy, peak), near))
    same = SAME_MS * RATE_HZ / 1000
    quick = quick[np.abs(quick[:, None] - begins[None, :]).min(1, initial=len(energy.T)) > same]
    quick = quick[np.diff(quick, prepend=-RATE_HZ) > same]
    around = np.round((quick + LATE) / HOP).astype(int)[:, None] + np.arange(-PEAK_FRAMES, PEAK_FRAMES + 1)
    around = np.clip(around, 0, len(flux) - 1)
    frames = np.take_along_axis(around, flux[around].argmax(1, keepdims=True), 1)[:, 0]
    begins, peaks = np.concatenate([begins, quick]), np.concatenate([peaks, frames])
    order = np.argsort(begins, kind="stable")
    return begins[order], peaks[order]


def _quick_rises(energy: NDArray[np.float64], peak: float) -> NDArray[np.int64]:
    """Find the samples where the bands over the lowest, whose waves are too long for this, rise within milliseconds."""
    starts = np.arange(0, energy.shape[1] - QUICK_WINDOW, QUICK_HOP)
    power = (energy[1:, starts + QUICK_WINDOW] - energy[1:, starts]) / QUICK_WINDOW / peak**2
    level_db = 10 * np.log10(power + QUICK_FLOOR)
    lag = QUICK_WINDOW // QUICK_HOP
    past = np.maximum(level_db[:, lag:-lag], level_db[:, : -2 * lag])
    rise_db = np.clip(level_db[:, 2 * lag :] - past, 0, QUICK_MOST_DB).mean(0)
    high = (rise_db == maximum_filter1d(rise_db, 2 * QUICK_PEAK + 1)) & (rise_db > QUICK_DB)
    return starts[2 * lag :][high]


def _join_close(onsets: Onsets, min_gap_s: float) -> Onsets:
    """Keep the first of every group of close onsets, as strong as its strongest."""
    seconds: list[float] = []
    strengths: list[float] = []
    for index in np.argsort(onsets.seconds, kind="stable"):
        if seconds and onsets.seconds[index] - seconds[-1] < min_gap_s:
            strengths[-1] = max(strengths[-1], float(onsets.strengths[index]))
        else:
            seconds.append(float(onsets.seconds[index]))
            strengths.append(float(onsets.strengths[index]))
    return Onsets(np.array(seconds), np.array(strengths))
