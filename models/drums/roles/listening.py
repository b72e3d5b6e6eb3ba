"""How a one-shot is heard: 16 kHz mono, at most 2 s, trimmed, peak 0.95; then many of them as one run of frames.

    clips = [prepare(read_audio(path), AudioConfig()) for path in paths]
    frames = listen(clips)                  # every clip's STFT in one batched FFT, clip after clip
    frames.weighted_mean(values)            # one number a clip, weighted by each frame's energy

Batches are ragged: the frames of all clips stand in one array and `starts` says where each clip begins, so nothing is
padded to the longest clip and a clip's numbers do not depend on its company.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import sparse
from scipy.fft import rfft

from models.music.audio import LISTENING_RATE_HZ, Audio
from models.music.errors import BadAudio, BadConfig

FRAME, HOP, MELS = 1024, 256, 64
BLOCK = 16  # every window begins and ends on a multiple of 1 ms
MEL_LOW_HZ, MEL_HIGH_HZ = 30.0, 8_000.0
LEAD_SAMPLES = 16  # kept before the attack: 1 ms
BATCH_SAMPLES = 1 << 16  # of audio in one FFT: its spectra, 1 MB, stay in the processor's cache

Clip = NDArray[np.float32]


@dataclass(frozen=True)
class AudioConfig:
    """How a sound is prepared before anything is measured."""

    rate_hz: int = LISTENING_RATE_HZ
    """Rate everything is measured at; the features and the scorer know no other."""
    max_seconds: float = 2.0
    """What comes later is not heard."""
    lead_trim_db: float = 40.0
    """The sound begins where it first comes this close to its peak."""
    tail_trim_db: float = 60.0
    """The sound ends where it last was this close to its peak."""
    peak: float = 0.95
    """Level of the loudest sample."""

    def __post_init__(self) -> None:
        if self.rate_hz != LISTENING_RATE_HZ:
            raise BadConfig(f"audio: rate_hz is {self.rate_hz}; roles are heard at {LISTENING_RATE_HZ}. Leave it out.")
        if not 0.05 <= self.max_seconds <= 10:
            raise BadConfig(f"audio: max_seconds is {self.max_seconds}; it must be from 0.05 to 10 (try 2.0).")
        if not 0 < self.peak <= 1:
            raise BadConfig(f"audio: peak is {self.peak}; it must be above 0 and at most 1 (try 0.95).")


def prepare(audio: Audio, config: AudioConfig, rate_hz: int = LISTENING_RATE_HZ) -> Clip:
    """Return a sound as it is heard here: float32[t], trimmed, at its peak."""
    if audio.peak < 1e-5:
        raise BadAudio(f"{audio.label}: silent (peak {audio.peak:.1g}). Leave it out.")
    samples = audio.mono().at_rate(rate_hz).samples[0]
    loudness = np.abs(samples)
    peak = float(loudness.max())
    if peak < 1e-5:
        raise BadAudio(f"{audio.label}: silent once mixed to mono. Leave it out, or give one channel.")
    start = int(np.argmax(loudness >= peak * 10 ** (-config.lead_trim_db / 20)))
    end = len(samples) - int(np.argmax(loudness[::-1] >= peak * 10 ** (-config.tail_trim_db / 20)))
    lead = LEAD_SAMPLES * rate_hz // LISTENING_RATE_HZ
    heard = samples[max(0, start - lead) : end][: round(config.max_seconds * rate_hz)]
    return heard * np.float32(config.peak / max(float(np.abs(heard).max()), 1e-9))


@dataclass(frozen=True)
class Frames:
    """The frames of several clips, one after the other; f frames in all, c clips, b bins."""

    samples: NDArray[np.float32]
    """float32[t]: the clips, half a frame of silence on either side of each."""
    places: NDArray[np.int64]
    """int64[f]: where each frame begins in samples."""
    starts: NDArray[np.int64]
    """int64[c]: each clip's first frame."""
    begins: NDArray[np.int64]
    """int64[c]: where each clip's own samples begin."""
    lengths: NDArray[np.int64]
    """int64[c]: each clip's length in samples, without its silence."""

    @cached_property
    def magnitude(self) -> NDArray[np.float32]:
        """float32[f, b]: the short-time spectra, Hann window."""
        windows, window = np.empty((len(self.places), FRAME), np.float32), _window()
        for start, count, place in zip(self.starts, self.counts, self.places[self.starts], strict=True):
            clip = self.samples[place : place + (count - 1) * HOP + FRAME]
            np.multiply(sliding_window_view(clip, FRAME)[::HOP], window, out=windows[start : start + count])
        return np.abs(np.asarray(rfft(windows, axis=1, overwrite_x=True)))

    @cached_property
    def power(self) -> NDArray[np.float32]:
        """float32[f, b]: the short-time power spectra."""
        return np.square(self.magnitude)

    @cached_property
    def mel(self) -> NDArray[np.float32]:
        """float32[f, MELS]: power in mel bands."""
        return np.ascontiguousarray((_mel_filters() @ self.power.T).T)

    @cached_property
    def running_energy(self) -> NDArray[np.float64]:
        """float64[t / BLOCK + 1]: running sum of squares, so that any window of whole blocks is one difference."""
        blocks = self.samples.reshape(-1, BLOCK)
        return np.concatenate([[0.0], np.cumsum(np.einsum("ij,ij->i", blocks, blocks), dtype=np.float64)])

    def energy(self, begins: NDArray[np.int64], length: NDArray[np.int64] | int) -> NDArray[np.float64]:
        """Sum of squares of windows; they begin and end on whole blocks."""
        ends = (begins + length) // BLOCK
        return np.maximum(self.running_energy[ends] - self.running_energy[begins // BLOCK], 0.0)

    @cached_property
    def rms(self) -> NDArray[np.float64]:
        """float64[f]: RMS of each frame."""
        return np.sqrt(self.energy(self.places, FRAME) / FRAME)

    def clips(self) -> list[Clip]:
        """The clips, as they were laid end to end."""
        return [self.samples[b : b + n] for b, n in zip(self.begins, self.lengths, strict=True)]

    @property
    def counts(self) -> NDArray[np.int64]:
        """int64[c]: frames of each clip."""
        return np.diff(np.append(self.starts, len(self.places)))

    def total(self, values: NDArray) -> NDArray[np.float64]:
        """Sum over each clip's frames: [f, ...] -> [c, ...]."""
        return np.add.reduceat(values, self.starts, axis=0, dtype=np.float64)

    def peak(self, values: NDArray) -> NDArray:
        """Largest value over each clip's frames."""
        return np.maximum.reduceat(values, self.starts, axis=0)

    def weighted_mean(self, values: NDArray) -> NDArray[np.float64]:
        """Mean over each clip's frames, weighted by energy: a silent tail then says nothing."""
        energy = self.rms**2
        return self.total(values * energy) / np.maximum(self.total(energy), 1e-20)


def listen(clips: Sequence[Clip]) -> Frames:
    """Lay clips end to end and place their frames, centred as librosa centres them."""
    half = FRAME // 2
    lengths = np.array([len(clip) for clip in clips], np.int64)
    counts = 1 + lengths // HOP
    padded = FRAME + -(-lengths // BLOCK) * BLOCK
    offsets = np.concatenate([[0], np.cumsum(padded)])
    samples = np.zeros(offsets[-1], np.float32)
    for clip, offset in zip(clips, offsets, strict=False):
        samples[offset + half : offset + half + len(clip)] = clip
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    within = np.arange(counts.sum()) - np.repeat(starts, counts)
    places = np.repeat(offsets[:-1], counts) + within * HOP
    return Frames(samples, places, starts, offsets[:-1] + half, lengths)


def batches(clips: Sequence[Clip]) -> Iterator[Sequence[Clip]]:
    """Cut many clips into runs of at most BATCH_SAMPLES, so memory does not depend on how many there are."""
    start, held = 0, 0
    for index, clip in enumerate(clips):
        held += len(clip)
        if held > BATCH_SAMPLES and index > start:
            yield clips[start:index]
            start, held = index, len(clip)
    if start < len(clips):
        yield clips[start:]


@cache
def bin_hz() -> NDArray[np.float32]:
    """float32[b]: the frequency of each bin."""
    return np.fft.rfftfreq(FRAME, 1 / LISTENING_RATE_HZ).astype(np.float32)


@cache
def _window() -> NDArray[np.float32]:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)


@cache
def _mel_filters() -> sparse.csr_matrix:
    """[MELS, b] triangles of height 1; a band narrower than a bin takes the nearest bin whole."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (MEL_LOW_HZ, MEL_HIGH_HZ))
    edges = 700 * (10 ** (np.linspace(low, high, MELS + 2) / 2595) - 1)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    hz = bin_hz()[None]
    filters = np.maximum(0.0, np.minimum((hz - left) / (centre - left), (right - hz) / (right - centre)))
    for band in np.flatnonzero(filters.sum(1) < 0.5):
        filters[band] = 0.0
        filters[band, np.argmin(np.abs(hz[0] - edges[band + 1]))] = 1.0
    return sparse.csr_matrix(filters.astype(np.float32))
