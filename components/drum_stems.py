"""The drums of songs as files: brought together, taken out song by song, collected.

names = gather("songs", "songs-here", separation=True, seed=0)      # ["mixes/one.wav", "mixes/live/two.flac"]
take("songs-here", names[0], "stems/1", "htdemucs", skip_bad=False)
collect(["stems/1", "stems/2"], "drums")                            # drums/one.wav, drums/live/two.flac.wav
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backstage.storage import bring
from models.music.audio import find_audio, write_audio
from models.music.errors import BadAudio
from models.music.files import MANIFEST, whole_folder

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
        bring(song, kind)
    return [path.relative_to(folder).as_posix() for path in find_audio(kind)]


def take(songs: str, name: str, folder: str, model: str, skip_bad: bool) -> int:
    """Write the drums of one song; 0 when it cannot be read and may be left out."""
    song = Path(songs, name)
    place = Path(folder, *Path(name).parts[1:]).parent  # as it lay below mixes/ or drums/
    if name.startswith(f"{DRUMS}/"):
        place.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(song, place / song.name)
        return 1
    from models.separation.htdemucs import HTDemucs, write_drum_stems

    separator = HTDemucs.load(model)
    try:
        return write_drum_stems(song, place, separator)
    except BadAudio as error:
        if not skip_bad:
            raise
        log.warning("left out: %s", error)
        place.mkdir(parents=True, exist_ok=True)
        return 0


def collect(stems: Sequence[str], folder: str) -> int:
    """Copy the stems of every song into one folder; count the files."""
    with whole_folder(folder) as part:
        for stem in stems:
            shutil.copytree(stem, part, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST))
        count = sum(1 for path in part.rglob("*") if path.is_file())
        if not count:
            raise BadAudio(f"none of the {len(stems)} songs could be read. Export them again.")
    return count
