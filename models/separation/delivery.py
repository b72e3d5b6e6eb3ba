"""A song's stems as files, part by part: as the song came, so they go, with its rate, channels, length and bit depth.

    made = deliver("hour.flac", model, "out/hour")                              # out/hour/{drums,bass,other,vocals}.flac
    made = deliver("hour.flac", model, "out/hour", Wishes(only="vocals"))       # vocals.flac and no_vocals.flac
    made = deliver("hour.flac", model, "out/hour", heard=lambda share: ...)     # 0 to 1; whatever it raises stops the work

The folder appears when all of it is there: the stems, separation.json that says what was made from what, and how,
with every stem's sha256. Memory depends on the part. Where a stem would clip, all are made softer by one
common gain, so that their balance stays; to know it, the stems lie beside their files once more until they are written.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.music.audio import WRITTEN, Audio, depth_of, write_parts
from models.music.errors import BadInput, StorageError
from models.music.files import is_whole, read_mapping, sha256, whole_folder, write_json
from models.separation.overlap import Samples
from models.separation.stems import Heard, Separator, listen, pieces_of, stem_parts

NOTE = "separation.json"
ROOM = 1.02
"""So much more than the samples themselves a file may take."""
PART_FRAMES = 1 << 18
KEPT_DEPTHS = {
    ".wav": ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"),
    ".flac": ("PCM_S8", "PCM_16", "PCM_24"),
}
"""What a stem can share with its song; any other depth becomes the plain one of its kind."""


@dataclass(frozen=True)
class Wishes:
    """How the stems are to be."""

    kind: str = ""
    """wav, flac, ogg or mp3; nothing: as the song came, and wav for what cannot be written."""
    only: str = ""
    """One stem, and everything else as a second one."""
    add_up: bool = False
    """Share what is missing to the mixture among the stems, so that they sum to it."""

    def __post_init__(self) -> None:
        if self.kind and f".{self.kind}" not in WRITTEN:
            raise BadInput(f"format is {self.kind!r}; choose one of {', '.join(kind[1:] for kind in WRITTEN)}.")


def deliver(
    song: str | Path,
    model: Separator,
    folder: str | Path,
    wishes: Wishes = Wishes(),
    heard: Callable[[float], None] = lambda _: None,
    named: str = "",
) -> dict[str, Any]:
    """Write a song's stems to a folder, unless the very same lie there; return its note."""
    song, folder = Path(song), Path(folder)
    asked = {"song": song.name, "sha256": sha256(song), "model": named, **asdict(wishes)}
    if made := _made(folder, asked):
        heard(1.0)
        return made
    (suffix, depth), stems = _kind(song, wishes), _stems(model, wishes)
    known = listen(song)
    _check_room(folder, known, len(stems), model)
    with whole_folder(folder, replace=True) as part:
        raw = part / ".raw"
        peak = _write_raw(raw, _wished(song, model, known, wishes), known, heard)
        gain = 1.0 if peak <= 1.0 or depth in ("FLOAT", "DOUBLE") else 1.0 / peak
        files = {}
        for stem in stems:
            file = write_parts(part / f"{stem}{suffix}", _read_raw(raw / stem, known, gain), subtype=depth)
            files[stem] = {"file": file.name, "sha256": sha256(file)}
        shutil.rmtree(raw)
        note = {**asked, "gain_db": round(20 * float(np.log10(gain)), 2), "seconds": known.frames / known.rate_hz}
        write_json(part / NOTE, {**note, "stems": files})
    return {**note, "stems": files}


def _made(folder: Path, asked: dict[str, Any]) -> dict[str, Any] | None:
    """The note of a folder that holds exactly what is asked for, whole; what is there and none of ours is refused."""
    if not folder.exists():
        return None
    if not (folder / NOTE).is_file():
        raise StorageError(f"{folder}: something is there that no separation made. Move it, or choose another folder.")
    note = read_mapping(folder / NOTE)
    return note if {key: note.get(key) for key in asked} == asked and is_whole(folder) else None


def _stems(model: Separator, wishes: Wishes) -> list[str]:
    if not wishes.only:
        return list(model.stems)
    if wishes.only not in model.stems:
        raise BadInput(f"two stems of {wishes.only!r}: this model knows {', '.join(model.stems)}.")
    return [wishes.only, f"no_{wishes.only}"]


def _wished(song: Path, model: Separator, known: Heard, wishes: Wishes) -> Iterator[dict[str, Samples]]:
    """The parts of the stems as they were wished for."""
    parts = ({stem: audio.samples for stem, audio in part.items()} for part in stem_parts(song, model, known))
    if not (wishes.only or wishes.add_up):
        yield from parts
        return
    mixture = _Mixture(song)
    for found in parts:
        whole = mixture.take(next(iter(found.values())).shape[1])
        if wishes.only:
            yield {wishes.only: found[wishes.only], f"no_{wishes.only}": whole - found[wishes.only]}
        else:
            share = (whole - np.sum(list(found.values()), axis=0)) / len(found)
            yield {stem: samples + share for stem, samples in found.items()}


class _Mixture:
    """The song itself, as many frames at a time as its stems come in."""

    def __init__(self, song: Path) -> None:
        self._pieces = pieces_of(song)
        self._held = np.zeros((0, 0), np.float32)

    def take(self, frames: int) -> Samples:
        while self._held.shape[1] < frames:
            piece = next(self._pieces).samples
            self._held = np.concatenate([self._held, piece], axis=1) if self._held.size else piece
        taken, self._held = self._held[:, :frames], self._held[:, frames:]
        return taken


def _write_raw(
    folder: Path, parts: Iterator[dict[str, Samples]], known: Heard, heard: Callable[[float], None]
) -> float:
    """Write each stem's samples as they come; return the loudest."""
    folder.mkdir()
    peak, done = 0.0, 0
    with ExitStack() as files:
        opened: dict[str, Any] = {}
        for part in parts:
            for stem, samples in part.items():
                if stem not in opened:
                    opened[stem] = files.enter_context(open(folder / stem, "wb"))
                np.ascontiguousarray(samples.T, dtype="<f4").tofile(opened[stem])
                peak = max(peak, float(np.abs(samples).max()))
            done += next(iter(part.values())).shape[1]
            heard(done / known.frames)
    return peak


def _read_raw(file: Path, known: Heard, gain: float) -> Iterator[Audio]:
    with open(file, "rb") as raw:
        while len(block := np.fromfile(raw, "<f4", PART_FRAMES * known.channels)):
            yield Audio((block.reshape(-1, known.channels) * np.float32(gain)).T, known.rate_hz, known.label)


def _kind(song: Path, wishes: Wishes) -> tuple[str, str | None]:
    """The suffix of the stems and their depth: the song's own, where that can be written."""
    suffix = f".{wishes.kind}" if wishes.kind else song.suffix.lower()
    suffix, depth = suffix if suffix in WRITTEN else ".wav", depth_of(song)
    return suffix, depth if depth in KEPT_DEPTHS.get(suffix, ()) else None


def _check_room(folder: Path, known: Heard, stems: int, model: Separator) -> None:
    """Refuse at once what would fail at the end."""
    import psutil

    place = next(each for each in [folder, *folder.absolute().parents] if each.exists())
    needed = 2 * ROOM * known.frames * known.channels * 4 * stems
    free = shutil.disk_usage(place).free
    if needed > free:
        raise StorageError(
            f"{known.label}: its stems need {needed / 1e6:.0f} MB while they are made, {free / 1e6:.0f} MB are free in {place}. "
            "Free some space or choose another folder."
        )
    available = psutil.virtual_memory().available / 1e6
    if model.memory_mb > available:
        raise BadInput(
            f"{known.label}: this model needs about {model.memory_mb} MB of memory, {available:.0f} MB are free. "
            "Close something, or choose a smaller model."
        )
