"""From a song to its stems: the one door to separation, whichever engine stands behind it.

    model = load_separator("htdemucs", "drums")          # a pretrained name or a model's folder, and what it must know
    model = load_separator("htdemucs:2,models/mine")     # several whose stems are averaged, the first counting twice
    separate("song.wav", model)["drums"]                 # from an Audio or a file, whole
    for part in stem_parts("hour.wav", model): ...       # {stem: Audio}, part after part: memory depends on the part
    write_parts("drums.wav", (part["drums"] for part in stem_parts("hour.wav", model)))
    read = stem_reader(model, "drums")                   # reads a file as read_parts does, and hears only its drums

Stems have the song's own rate, channels and exact length. A whole is its parts joined, so that every way gives the same
samples. A song is listened to once before it is separated: a broken file is refused at once, not after an hour's work.
An engine is one entry in ENGINES, by the name of a model or by the `kind` in the config.json of its folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from models.music.audio import Audio, overlapping, read_parts
from models.music.errors import BadInput
from models.music.files import read_mapping
from models.separation.overlap import Samples

# s stems, c channels, t samples
PIECE_S = 10.0
Song = Audio | str | os.PathLike[str]


class Separator(Protocol):
    """A loaded engine."""

    @property
    def stems(self) -> Sequence[str]: ...
    @property
    def memory_mb(self) -> int:
        """About what it needs while it plays, however long the song is."""
        ...

    @property
    def rate_hz(self) -> int: ...
    @property
    def channels(self) -> int: ...

    def parts(self, song: Iterator[Samples], middle: float, spread: float) -> Iterator[Samples]:
        """Turn pieces [c, t] that follow one another into parts [s, c, t], given the mean and deviation of them all."""
        ...


def _htdemucs(model: str) -> Separator:
    from models.separation.weights import find_bag

    bag = find_bag(model)  # before torch is imported: what is not there is said at once
    from models.separation.htdemucs import HTDemucs

    return HTDemucs.load(bag)


def _locoformer(model: str) -> Separator:
    from models.separation.at_hand import STARTER
    from models.separation.locoformer.engine import LocoformerEngine

    return LocoformerEngine.load(STARTER if model == SEPARATOR else model)


def _counterfactual(model: str) -> Separator:
    from models.separation.counterfactual.engine import CounterfactualEngine

    return CounterfactualEngine.load(model)


def _live(model: str) -> Separator:
    from models.separation.realtime.engine import LiveEngine

    return LiveEngine.load(model)


DEMUCS, SEPARATOR = "htdemucs", "separator"
ENGINES: dict[str, Callable[[str], Separator]] = {
    DEMUCS: _htdemucs,
    SEPARATOR: _locoformer,
    "counterfactual": _counterfactual,
    "separator_live": _live,
}


def load_separator(model: str | os.PathLike[str], *stems: str) -> Separator:
    """Load a model by its folder or a pretrained name, or several as one; it must know the stems that are named."""
    separator = _loaded(str(model))
    missing = [stem for stem in stems if stem not in separator.stems]
    if missing:
        known = ", ".join(separator.stems)
        raise BadInput(f"{model}: its stems are {known}; one called {missing[0]} is needed. Give another model.")
    return separator


def _loaded(model: str) -> Separator:
    from models.separation.ensemble import Ensemble, members

    named = members(model)
    if len(named) == 1:
        return load_engine(model)
    return Ensemble.of({name: (load_engine(name), weight) for name, weight in named.items()})


def load_engine(model: str | os.PathLike[str]) -> Separator:
    """Load one model, whatever commas its folder's name has."""
    return ENGINES[_engine_of(str(model))](str(model))


def apart(mixture: Samples, model: Separator) -> Samples:
    """Separate samples [c, t] of the model's own rate and channels at once: [s, c, t]."""
    middle, spread = float(mixture.mean(dtype=np.float64)), float(mixture.mean(0, dtype=np.float64).std())
    return np.concatenate(list(model.parts(iter([mixture]), middle, spread)), axis=-1)


def separate(song: Song, model: Separator) -> dict[str, Audio]:
    """Separate a song whole; one that is long fits better through stem_parts."""
    parts = list(stem_parts(song, model))
    joined = {stem: np.concatenate([part[stem].samples for part in parts], axis=1) for stem in model.stems}
    return {stem: replace(parts[0][stem], samples=samples) for stem, samples in joined.items()}


def stem_parts(song: Song, model: Separator, heard: Heard | None = None) -> Iterator[dict[str, Audio]]:
    """Separate a song part by part; the parts follow one another without a gap."""
    heard = heard or listen(song)
    frames = max(1, round(heard.frames * model.rate_hz / heard.rate_hz))
    pieces = (_with_channels(piece.samples, model.channels) for piece in pieces_of(song))
    pieces = _exactly(_at_rate(pieces, heard.rate_hz, model.rate_hz), frames)
    found = model.parts(pieces, heard.middle, heard.spread)
    rows = (_with_channels(part, heard.channels).reshape(-1, part.shape[-1]) for part in found)
    for part in _exactly(_at_rate(rows, model.rate_hz, heard.rate_hz), heard.frames):
        stems = part.reshape(len(model.stems), heard.channels, -1)
        yield {name: Audio(stem, heard.rate_hz, heard.label) for name, stem in zip(model.stems, stems, strict=True)}


def stem_reader(model: Separator, stem: str) -> Callable[[Path, float, float], Iterator[tuple[float, Audio]]]:
    """Give a reader like read_parts that hears only one stem of a file."""

    def read(path: Path, part_s: float, overlap_s: float) -> Iterator[tuple[float, Audio]]:
        return overlapping((part[stem] for part in stem_parts(path, model)), part_s, overlap_s)

    return read


@dataclass(frozen=True)
class Heard:
    """What is known of a song once it was listened to."""

    label: str
    rate_hz: int
    channels: int
    frames: int
    middle: float
    """Mean of all samples."""
    spread: float
    """Standard deviation of the mono mix."""


def listen(song: Song) -> Heard:
    """Hear a song from its beginning to its end: what is broken is refused, its length and level are known."""
    frames, total, squares, piece = 0, 0.0, 0.0, None
    for piece in pieces_of(song):
        mono = piece.samples.mean(axis=0, dtype=np.float64)
        frames, total, squares = (
            frames + piece.frames,
            total + float(mono.sum()),
            squares + float(np.square(mono).sum()),
        )
    assert piece is not None  # an Audio is never empty, and an empty file was refused
    middle = total / frames
    spread = max(0.0, squares / frames - middle**2) ** 0.5
    return Heard(piece.label, piece.rate_hz, piece.channels, frames, middle, spread)


def pieces_of(song: Song) -> Iterator[Audio]:
    """Cut a song alike, whether it is in memory or in a file."""
    cut = overlapping([song], PIECE_S, 0.0) if isinstance(song, Audio) else read_parts(song, PIECE_S, 0.0)
    return (piece for _, piece in cut)


def _with_channels(samples: Any, channels: int) -> Any:
    """Mix [..., c, t] to one channel, or give one channel to both sides."""
    if samples.shape[-2] == channels:
        return samples
    return samples.mean(-2, keepdims=True) if channels == 1 else np.repeat(samples, channels, axis=-2)


def _at_rate(pieces: Iterable[Samples], rate_hz: int, wanted_hz: int) -> Iterator[Samples]:
    """Resample rows [c, t] as they come; the same samples as all at once."""
    if rate_hz == wanted_hz:
        yield from pieces
        return
    import soxr

    stream = None
    for piece in pieces:
        stream = stream or soxr.ResampleStream(rate_hz, wanted_hz, len(piece), dtype="float32")
        yield stream.resample_chunk(np.ascontiguousarray(piece.T)).T
        rows = len(piece)
    if stream:
        yield stream.resample_chunk(np.zeros((0, rows), np.float32), last=True).T


def _exactly(pieces: Iterable[Samples], frames: int) -> Iterator[Samples]:
    """Leave out empty pieces, cut what is too long and fill up what is too short with silence."""
    rows = 0
    for piece in pieces:
        kept, rows = piece[:, :frames], len(piece)
        if kept.shape[1]:
            frames -= kept.shape[1]
            yield kept
    if frames:
        yield np.zeros((rows, frames), np.float32)


def _engine_of(model: str) -> str:
    """Tell an engine by the kind in a folder's config.json, or by a model's name; demucs' models have many names."""
    config = Path(model).expanduser() / "config.json"
    if not config.is_file():
        return model if model in ENGINES else DEMUCS
    kind = read_mapping(config).get("kind")
    if kind not in ENGINES:
        raise BadInput(f"{model}: a model of kind {kind!r} is no separator; there are {', '.join(ENGINES)}.")
    return kind
