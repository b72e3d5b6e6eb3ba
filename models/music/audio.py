"""One audio value and the only door through which sound enters.

song = read_audio("song.wav")            # any rate, 1 or 2 channels, checked once
write_audio("out.wav", song.mono().at_rate(16_000))
for start_s, part in read_parts("hour.m4a", part_s=60.0, overlap_s=1.0): ...    # memory depends on the part
write_parts("out.wav", parts)            # the way back: parts that follow one another become one whole file
"""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.music.errors import BadAudio
from models.music.ffmpeg import Decoded
from models.music.files import whole_file

HOUSE_RATE_HZ = 44_100
LISTENING_RATE_HZ = 16_000
MAX_CHANNELS = 2
MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000
MAX_PEAK = 2.0**31
"""Samples of 32 bits that somebody took for fractions; squares of louder ones leave what a float can hold."""
MAX_SECONDS = 4 * 3600
SYSTEM_ERROR = 2
"""How libsndfile counts what the system refused; it says no more."""
BLOCK_FRAMES = 1 << 18
# How libsndfile's log speaks of a data chunk that is shorter than its header says; -1 is "length unknown" (streams).
_LIE = re.compile(r"^\s*(?:data|SSND)\s*:\s*(?!4294967295)(\d+) \(should be (\d+)\)", re.MULTILINE)
WRITTEN = {
    ".wav": ("WAV", "PCM_24"),
    ".flac": ("FLAC", "PCM_24"),
    ".ogg": ("OGG", "VORBIS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
"""Suffixes of what is written, as libsndfile calls them, and the plain choice of each."""
AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".mp3", ".ogg", ".aif", ".aiff", ".m4a"})


@dataclass(frozen=True)
class Audio:
    """Samples in -1..1 as float32[channels, frames] and their rate; finite, never empty, never changed."""

    samples: NDArray[np.float32]
    rate_hz: int
    label: str = "audio"
    """What messages call it: usually the file's name."""

    def __post_init__(self) -> None:
        samples = np.atleast_2d(np.asarray(self.samples, dtype=np.float32))
        if samples.ndim != 2:
            raise BadAudio(f"{self.label}: {samples.ndim} dimensions; give [channels, frames].")
        channels, frames = samples.shape
        if not 1 <= channels <= MAX_CHANNELS:
            raise BadAudio(f"{self.label}: {channels} channels; give 1 or {MAX_CHANNELS}. Mix it down first.")
        if frames == 0:
            raise BadAudio(f"{self.label}: 0 frames. Export it again, or leave it out.")
        if not MIN_RATE_HZ <= self.rate_hz <= MAX_RATE_HZ:
            raise BadAudio(f"{self.label}: rate {self.rate_hz} Hz; give {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz.")
        highest, lowest = float(samples.max()), float(samples.min())  # both are NaN where one sample is
        if not (math.isfinite(highest) and math.isfinite(lowest)):
            broken = int((~np.isfinite(samples)).sum())
            raise BadAudio(f"{self.label}: {broken} samples are NaN or infinite. Export it again.")
        if (peak := max(highest, -lowest)) > MAX_PEAK:
            raise BadAudio(
                f"{self.label}: peak {peak:.1g}; full scale is 1, at most {MAX_PEAK:.0g} is read. Export it again."
            )
        samples = samples.view()
        samples.flags.writeable = False
        object.__setattr__(self, "samples", samples)

    @property
    def channels(self) -> int:
        return self.samples.shape[0]

    @property
    def frames(self) -> int:
        return self.samples.shape[1]

    @property
    def seconds(self) -> float:
        return self.frames / self.rate_hz

    @property
    def peak(self) -> float:
        return float(np.abs(self.samples).max())

    def mono(self) -> Audio:
        """Mix to one channel."""
        return self if self.channels == 1 else Audio(self.samples.mean(0, keepdims=True), self.rate_hz, self.label)

    def stereo(self) -> Audio:
        """Give two channels, the same sound in both when there was one."""
        return self if self.channels == 2 else Audio(np.repeat(self.samples, 2, axis=0), self.rate_hz, self.label)

    def at_rate(self, rate_hz: int) -> Audio:
        """Resample; the length is round(frames * rate_hz / self.rate_hz), at least 1."""
        if rate_hz == self.rate_hz:
            return self
        import soxr

        frames = max(1, round(self.frames * rate_hz / self.rate_hz))
        resampled = np.asarray(soxr.resample(self.samples.T, self.rate_hz, rate_hz)).T[:, :frames]
        padding = frames - resampled.shape[1]
        return Audio(np.pad(resampled, ((0, 0), (0, padding))), rate_hz, self.label)


def read_audio(path: str | os.PathLike[str], *, max_seconds: float = MAX_SECONDS) -> Audio:
    """Read a sound file whole; wav, flac, mp3, ogg and aiff directly, m4a through ffmpeg."""
    path = Path(path)
    with _opened(path, max_seconds) as file:
        return Audio(np.concatenate(list(_blocks(path, file, max_seconds))).T, file.samplerate, path.name)


def read_parts(path: str | os.PathLike[str], part_s: float, overlap_s: float) -> Iterator[tuple[float, Audio]]:
    """Read a file part by part, each with where it starts and overlapping the next: memory depends on a part."""
    path = Path(path)
    with _opened(path, MAX_SECONDS) as file:
        blocks = _blocks(path, file, MAX_SECONDS)
        yield from overlapping((Audio(block.T, file.samplerate, path.name) for block in blocks), part_s, overlap_s)


def overlapping(parts: Iterable[Audio], part_s: float, overlap_s: float) -> Iterator[tuple[float, Audio]]:
    """Cut parts that follow one another anew: each with where it starts, and overlapping the next."""
    start, held, frames = 0, [], 0
    rate_hz, label, step, whole = HOUSE_RATE_HZ, "", 0, 0
    for part in parts:
        rate_hz, label = part.rate_hz, part.label
        step, whole = round(part_s * rate_hz), round(part_s * rate_hz) + round(overlap_s * rate_hz)
        held, frames = [*held, part.samples], frames + part.frames
        if frames < whole:
            continue
        samples = np.concatenate(held, axis=1)
        while samples.shape[1] >= whole:
            yield start / rate_hz, Audio(samples[:, :whole], rate_hz, label)
            start, samples = start + step, samples[:, step:]
        held, frames = [samples], samples.shape[1]
    rest = np.concatenate(held, axis=1) if held else np.zeros((1, 0), np.float32)
    while rest.shape[1]:
        yield start / rate_hz, Audio(rest[:, :whole], rate_hz, label)
        start, rest = start + step, rest[:, step:]


def depth_of(path: str | os.PathLike[str]) -> str:
    """How libsndfile calls the samples of a sound file, such as PCM_16; "" for what only ffmpeg reads."""
    with _opened(Path(path), MAX_SECONDS) as file:
        return getattr(file, "subtype", "")


@contextlib.contextmanager
def _opened(path: Path, max_seconds: float) -> Iterator[Any]:
    """Open a sound file whose header is sane; whatever goes wrong while it is read becomes one line."""
    import soundfile

    _check_there(path)
    try:
        with Decoded(path) if path.suffix.lower() == ".m4a" else soundfile.SoundFile(_named(path)) as file:
            _check_header(path, file.samplerate, file.channels, file.frames, max_seconds)
            yield file
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        reason = str(error).rsplit(":", 1)[-1].strip().rstrip(".") or type(error).__name__
        raise BadAudio(
            f"{path.name}: not readable as audio ({reason}, {path.stat().st_size} bytes). Export it again, or leave it out."
        ) from error


def write_audio(path: str | os.PathLike[str], audio: Audio, *, subtype: str | None = None) -> Path:
    """Write a whole sound file or none: wav or flac of 24 bits unless told otherwise, ogg or mp3."""
    return write_parts(path, [audio], subtype=subtype)


def write_parts(path: str | os.PathLike[str], parts: Iterable[Audio], *, subtype: str | None = None) -> Path:
    """Write parts that follow one another as a whole sound file or none, each as it comes."""
    import soundfile

    path, coming = Path(path), iter(parts)
    if path.suffix.lower() not in WRITTEN:
        raise BadAudio(
            f"{path.name}: audio is written as {', '.join(WRITTEN)}, not {path.suffix or 'without a suffix'}."
        )
    kind, plain = WRITTEN[path.suffix.lower()]
    first = next(coming, None)
    if first is None:
        raise BadAudio(f"{path.name}: not one part of sound came to be written. Look at where it comes from.")
    shape = first.rate_hz, first.channels
    with whole_file(path) as place:
        try:
            with soundfile.SoundFile(_named(place), "w", *shape, subtype=subtype or plain, format=kind) as file:
                for part in chain([first], coming):
                    if (part.rate_hz, part.channels) != shape:
                        raise BadAudio(f"{path.name}: a part has another rate or other channels than those before it.")
                    for start in range(0, part.frames, BLOCK_FRAMES):  # Vorbis overflows its stack on long blocks
                        file.write(part.samples[:, start : start + BLOCK_FRAMES].T)
        except soundfile.LibsndfileError as error:
            # "System error." says nothing: whole_file tells path and space.
            raise OSError("" if error.code == SYSTEM_ERROR else error.error_string) from error
    return path


def find_audio(path: str | os.PathLike[str]) -> list[Path]:
    """List the sound files at a path: the file itself, or every one below a folder, in order of name."""
    path = Path(path)
    if path.is_file():
        return [path]
    _check_there(path)
    found = sorted(f for f in path.rglob("*") if f.is_file() and f.suffix.lower() in AUDIO_SUFFIXES)
    if not found:
        raise BadAudio(
            f"{path}: no audio in this folder; give one that holds {', '.join(sorted(AUDIO_SUFFIXES))} files."
        )
    return found


def _named(path: Path) -> Any:
    """Give a path as the system knows it: soundfile itself takes a name that is not UTF-8 for a mistake."""
    return os.fsencode(path)


def _check_there(path: Path) -> None:
    if not path.exists():
        raise BadAudio(f"{path}: no such file or folder. Check the path.")


def _check_header(path: Path, rate_hz: int, channels: int, frames: int, max_seconds: float) -> None:
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise BadAudio(f"{path.name}: rate {rate_hz} Hz; give {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz.")
    if channels > MAX_CHANNELS:
        raise BadAudio(f"{path.name}: {channels} channels; give 1 or {MAX_CHANNELS}. Mix it down first.")
    _check_length(path, frames, rate_hz, max_seconds)


def _check_length(path: Path, frames: int, rate_hz: int, max_seconds: float) -> None:
    if frames > max_seconds * rate_hz:
        raise BadAudio(f"{path.name}: too long; at most {max_seconds / 60:g} minutes are read. Cut it into parts.")


def _blocks(path: Path, file: Any, max_seconds: float) -> Iterator[NDArray[np.float32]]:
    """Read what is there, block by block: a header's length is a promise, never an allocation."""
    found = 0
    while len(block := file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)):
        found += len(block)
        _check_length(path, found, file.samplerate, max_seconds)
        yield block
    _check_whole(path, file, found)


def _check_whole(path: Path, file: Any, found: int) -> None:
    """Hold what was read against what the header promised."""
    if found == 0:
        raise BadAudio(f"{path.name}: 0 frames ({path.stat().st_size} bytes). Export it again, or leave it out.")
    if path.suffix.lower() != ".mp3" and found < file.frames:
        raise BadAudio(f"{path.name}: cut off: {found} of {file.frames} promised frames are there. Export it again.")
    if lie := _LIE.search(file.extra_info):
        raise BadAudio(
            f"{path.name}: cut off: its header promises {lie[1]} bytes of sound, {lie[2]} are there. Export it again."
        )
