"""From songs to one-shots: a file or a folder tree in, dummy_00001.wav … and index.json out.

    harvest = gather_oneshots("drums", "oneshots")
    harvest.hits, harvest.heard, harvest.skipped

Files are read in parts of two minutes, so a two-hour file costs what its distinct drums cost; hits are grouped part by
part, then over everything. What reads is an argument: read_parts where files are drums already, a reader that takes the
drums out of songs otherwise. Rate and channels of a hit are those of its file. What has no hit at all (silence) ends in
a line; a file that cannot be read does too, or is left out and named in the index with skip_bad.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path

import numpy as np

from models.drums.dedupe import DedupeConfig, KeptHit, Place, dedupe, regroup
from models.drums.onsets import OnsetConfig, find_onsets
from models.drums.slicing import Hit, SliceConfig, slice_hits
from models.music.audio import Audio, find_audio, read_parts, write_audio
from models.music.errors import BadAudio, BadConfig
from models.music.files import whole_folder, write_json
from models.music.plots import INK, picture

log = logging.getLogger(__name__)
Reader = Callable[[Path, float, float], Iterator[tuple[float, Audio]]]
PART_S, LEAD_IN_S = 120.0, 1.0
INDEX, PICTURE = "index.json", "onsets.png"
SHOWN_S = 12.0


@dataclass(frozen=True)
class HarvestConfig:
    """How one-shots are gathered."""

    onsets: OnsetConfig = field(default_factory=OnsetConfig)
    slices: SliceConfig = field(default_factory=SliceConfig)
    dedupe: DedupeConfig = field(default_factory=DedupeConfig)
    one_shots: bool = False
    """Every file is one hit already: take it from its first attack to its end, find no others in it."""
    skip_bad: bool = False
    """Leave out what cannot be read, with a line in the index, instead of stopping."""
    max_hits: int = 0
    """Keep at most so many drums, those heard most often; 0 keeps all."""

    def __post_init__(self) -> None:
        if self.max_hits < 0:
            raise BadConfig(f"max_hits is {self.max_hits}; give 0 (all) or more.")


@dataclass(frozen=True)
class Harvest:
    """What was gathered."""

    folder: Path
    hits: int
    """Files written."""
    heard: int
    """Hits they stand for."""
    skipped: tuple[str, ...]

    @property
    def index(self) -> Path:
        return self.folder / INDEX

    @property
    def picture(self) -> Path:
        return self.folder / PICTURE


def gather_oneshots(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    read: Reader = read_parts,
    config: HarvestConfig | None = None,
) -> Harvest:
    """Write the distinct one-shots of a file or folder tree; the folder appears whole or not at all."""
    config, files = config or HarvestConfig(), find_audio(source)
    root = Path(source) if Path(source).is_dir() else Path(source).parent
    names = [file.relative_to(root).as_posix() for file in files]
    workers = min(len(files), os.cpu_count() or 1) if read is read_parts else 1  # a separator takes every core itself
    with ThreadPoolExecutor(workers) as pool:
        answers = list(pool.map(_hits_or_reason, files, names, repeat(read), repeat(config)))
    skipped = tuple(answer for answer in answers if isinstance(answer, str))
    kept = regroup([hit for answer in answers if not isinstance(answer, str) for hit in answer], config.dedupe)
    if not kept:
        left_out = f", {len(skipped)} left out" if skipped else ""
        raise BadAudio(f"{source}: no drum hit in {len(files)} files{left_out}. Is it silent? Try a lower threshold.")
    if config.max_hits:
        kept = sorted(sorted(kept, key=lambda hit: -len(hit.places))[: config.max_hits], key=lambda hit: hit.places[0])
    heard = sum(len(hit.places) for hit in kept)
    with whole_folder(folder) as part:
        _write(part, kept, skipped)
        first = next(
            file for file, answer in zip(files, answers, strict=True) if not isinstance(answer, str) and answer
        )
        draw_onsets(part / PICTURE, _opening(first, read), config.onsets, label=first.name)
    return Harvest(Path(folder), len(kept), heard, skipped)


def draw_onsets(path: str | os.PathLike[str], audio: Audio, config: OnsetConfig | None = None, label: str = "") -> None:
    """Draw the waveform and a line for every onset, as tall as it is strong."""
    onsets, wave = find_onsets(audio, config), audio.mono().samples[0]
    step = max(1, len(wave) // 4000)
    peaks = np.maximum.reduceat(np.abs(wave), np.arange(0, len(wave), step))
    seconds = np.arange(len(peaks)) * step / audio.rate_hz
    title = f"{label or audio.label}: {len(onsets.seconds)} hits in {audio.seconds:.1f} s"
    with picture(path, title=title, x="seconds", y="level", inches=(11.0, 3.0)) as axes:
        axes.fill_between(seconds, -peaks, peaks, color=INK, alpha=0.35, linewidth=0)
        height = peaks.max() * np.minimum(1.0, onsets.strengths / 6)
        axes.vlines(onsets.seconds, -height, height, color="#dd6b20", linewidth=0.9)
        axes.set_xlim(0, audio.seconds)


def hits_of(path: Path, name: str, read: Reader, config: HarvestConfig) -> list[KeptHit]:
    """Find the distinct hits of one file, part by part."""
    kept: list[KeptHit] = []
    for start_s, part in read(path, PART_S, config.slices.max_s + 2 * LEAD_IN_S):
        drums = replace(part, label=name)
        hits = _one_shot(drums, config) if config.one_shots else _hits_of_part(drums, start_s, config)
        kept = regroup([*kept, *dedupe(hits, config.dedupe)], config.dedupe)
    return kept


def _hits_of_part(drums: Audio, start_s: float, config: HarvestConfig) -> list[Hit]:
    """A part's own hits: the first second of a later part was heard by the one before, with what led up to it."""
    onsets_s = find_onsets(drums, config.onsets).seconds
    first_s, last_s = (LEAD_IN_S if start_s else 0.0), PART_S + LEAD_IN_S
    hits = slice_hits(drums, onsets_s, config.slices, offset_s=start_s)
    return [hit for hit in hits if first_s <= hit.start_s - start_s < last_s]


def _one_shot(sound: Audio, config: HarvestConfig) -> list[Hit]:
    if sound.peak == 0.0:
        return []
    loud = np.abs(sound.samples).max(0) >= sound.peak * 10 ** (config.slices.tail_db / 20)
    return slice_hits(sound, [loud.argmax() / sound.rate_hz], config.slices)


def _hits_or_reason(path: Path, name: str, read: Reader, config: HarvestConfig) -> list[KeptHit] | str:
    """A file's hits, or the line that says why it is left out."""
    try:
        return hits_of(path, name, read, config)
    except BadAudio as error:
        if not config.skip_bad:
            raise
        log.warning("left out: %s", error)
        return str(error)


def _opening(path: Path, read: Reader) -> Audio:
    """The first seconds of a file, for the picture."""
    return next(read(path, SHOWN_S, 0.0))[1]


def _write(folder: Path, kept: Sequence[KeptHit], skipped: Sequence[str]) -> None:
    entries = []
    for number, each in enumerate(kept, 1):
        name = f"dummy_{number:05d}.wav"
        write_audio(folder / name, each.hit.audio)
        entries.append(_entry(name, each))
    write_json(folder / INDEX, {"hits": entries, "skipped": list(skipped)})


def _entry(name: str, kept: KeptHit) -> dict[str, object]:
    def place(where: Place) -> dict[str, object]:
        return {"source": where.source, "time_s": round(where.start_s, 6)}

    own, *others = kept.places
    return {
        "file": name,
        **place(own),
        "seconds": round(kept.hit.audio.seconds, 6),
        "peak_db": round(20 * float(np.log10(kept.hit.peak)), 2),
        "stands_for": len(kept.places),
        "duplicates": [place(where) for where in others],
        "why": kept.why,
    }
