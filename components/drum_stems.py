"""The drums of songs as files: brought together, taken out song by song or all at once, collected.

names = gather("songs", "songs-here", separation=True, seed=0)      # ["mixes/one.wav", "mixes/live/two.flac"]
take("songs-here", names[0], "stems/1", "htdemucs", skip_bad=False)
collect(["stems/1", "stems/2"], "drums")                            # drums/one.wav, drums/live/two.flac.wav
take_all("songs", "drums", "htdemucs", skip_bad=False)              # the same files in one go

What is drums already is copied once, when it comes in: from there on a file of ours gets one more name, no second copy.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from backstage.storage import bring
from backstage.tracking import log_note
from models.music.audio import Audio, find_audio, read_parts, write_audio, write_parts
from models.music.errors import BadAudio
from models.music.files import take_over, whole_folder
from models.separation.at_hand import at_hand
from models.separation.stems import Separator, stem_parts, stem_reader

log = logging.getLogger(__name__)
PRACTICE = "practice"
MIXES, DRUMS = "mixes", "drums"
PRACTICE_BARS = 16


def gather(song: str, folder: str, separation: bool, seed: int) -> list[str]:
    """Bring songs to a folder, below mixes/ or drums/; name each one. The practice song comes as drums."""
    kind = Path(folder, MIXES if separation and song != PRACTICE else DRUMS)
    if song == PRACTICE:
        from models.practice.songs import compose

        played = compose(np.random.default_rng(seed), bars=PRACTICE_BARS)
        write_audio(kind / "practice.wav", played.stems["drums"])
    else:
        bring(song, kind, find_audio)
    return [path.relative_to(folder).as_posix() for path in find_audio(kind)]


def take(songs: str, name: str, folder: str, model: str, skip_bad: bool) -> int:
    """Leave the drums of one song in a folder; 0 when it cannot be read and may be left out."""
    song, place = Path(songs, name), Path(folder, *Path(name).parts[1:])  # as it lay below mixes/ or drums/
    place.parent.mkdir(parents=True, exist_ok=True)
    if name.startswith(f"{DRUMS}/"):
        take_over(song, place)
        return 1
    return _write_drums([(song, place)], model, skip_bad)


def take_all(source: str, folder: str, model: str, skip_bad: bool) -> int:
    """Write the drums of every song at a path, the tree kept; count the songs."""
    songs, root = find_audio(source), Path(source) if Path(source).is_dir() else Path(source).parent
    with whole_folder(folder) as part:
        written = _write_drums([(song, part / song.relative_to(root)) for song in songs], model, skip_bad)
        if not written:
            raise BadAudio(f"{source}: none of its {len(songs)} files could be read. Export them again.")
    return written


def drum_reader(separation: bool, model: str) -> Callable[[Path, float, float], Iterator[tuple[float, Audio]]]:
    """Give what reads the drums of a file: as they lie there, or taken out of the song as it is read."""
    return stem_reader(_drummer(model), "drums") if separation else read_parts


def _drummer(model: str) -> Separator:
    """Load who takes drums out, and tell who it is."""
    separator, spoken = at_hand(model, "drums")
    log_note(f"drums by {spoken}")
    return separator


def _write_drums(places: Sequence[tuple[Path, Path]], model: str, skip_bad: bool) -> int:
    """Write the drums of songs as WAV, each beside the name it has; count those that could be read."""
    separator, written = _drummer(model), 0
    for song, place in places:
        target = place if place.suffix == ".wav" else place.with_name(f"{place.name}.wav")
        try:
            write_parts(target, (part["drums"] for part in stem_parts(song, separator)))
            written += 1
        except BadAudio as error:
            if not skip_bad:
                raise
            log.warning("left out: %s", error)
    return written


def collect(stems: Sequence[str], folder: str) -> int:
    """Bring the stems of every song into one folder; count the files."""
    with whole_folder(folder) as part:
        for stem in stems:
            shutil.copytree(stem, part, dirs_exist_ok=True, copy_function=take_over)
        count = sum(1 for path in part.rglob("*") if path.is_file())
        if not count:
            raise BadAudio(f"none of the {len(stems)} songs could be read. Export them again.")
    return count
