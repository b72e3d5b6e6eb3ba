"""The stems of songs as files: song by song, collected, and what can be heard and seen of them.

take("songs-here", "mixes/live/two.flac", "stems/2", "htdemucs", Sampling(), Wishes(only="vocals"), skip_bad=False)
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from backstage.tracking import log_audio, log_metrics, log_note, log_picture
from models.music.audio import Audio, read_parts, write_audio
from models.music.errors import BadAudio
from models.music.figures import Figure
from models.music.plots import picture
from models.separation.delivery import Wishes, deliver
from models.separation.sampling import Sampling, sampled
from models.separation.stems import load_separator

log = logging.getLogger(__name__)
EXCERPT_S = 15.0
BINS = 600
FIGURES = {"gain_db": Figure("gain", "dB"), "minutes": Figure("minutes of sound")}


def take(songs: str, name: str, folder: str, model: str, how: Sampling, wishes: Wishes, skip_bad: bool) -> int:
    """Leave one song's stems in a folder, in one of the song's own name; 0 when it cannot be read and may be left out."""
    song = Path(songs, name)
    place = Path(folder, *Path(name).parts[1:-1], _folder_name(song))
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        separator = sampled(load_separator(model), how)
        note = deliver(song, separator, place, wishes, _Progress(name), how.told(model))
    except BadAudio as error:
        if not skip_bad:
            raise
        log_note(f"left out: {error}")
        return 0
    _show(place, note)
    return 1


def _folder_name(song: Path) -> str:
    """The song's name without its suffix, unless another song beside it has the same."""
    twins = [other for other in song.parent.iterdir() if other.stem == song.stem]
    return song.name if len(twins) > 1 else song.stem


class _Progress:
    """Logs every tenth of the way."""

    def __init__(self, name: str) -> None:
        self._name, self._told = name, 0

    def __call__(self, share: float) -> None:
        if (tenths := int(share * 10)) > self._told:
            self._told = tenths
            log.info("%s: %d %%", self._name, 10 * tenths)


def _show(place: Path, note: dict[str, Any]) -> None:
    """Let a report's reader hear the middle of each stem, and see all of them."""
    levels = {}
    with tempfile.TemporaryDirectory() as there:
        for stem, made in note["stems"].items():
            excerpt, levels[stem] = _heard(place / made["file"], note["seconds"])
            log_audio(stem, write_audio(Path(there, f"{stem}.wav"), excerpt, subtype="PCM_16"))
        drawn = Path(there, "stems.png")
        with picture(drawn, title=note["song"], x="seconds", y="level") as axes:
            for row, (stem, level) in enumerate(levels.items()):
                seconds = np.linspace(0, note["seconds"], len(level))
                axes.fill_between(seconds, -row - level, -row + level, linewidth=0, label=stem)
            axes.set_yticks([-row for row in range(len(levels))], list(levels))
        log_picture(note["song"], drawn)
    log_metrics({"minutes": note["seconds"] / 60, "gain_db": note["gain_db"]}, figures=FIGURES)
    if note["gain_db"]:
        log_note(f"{note['song']}: all stems are {-note['gain_db']:.1f} dB softer, so that none clips.")


def _heard(file: Path, seconds: float) -> tuple[Audio, np.ndarray]:
    """The middle of a file, and how loud it is along its way (0 to 0.45), in one go through it."""
    middle, found, levels = max(0.0, seconds / 2 - EXCERPT_S / 2), None, []
    for start_s, part in read_parts(file, EXCERPT_S, 0.0):
        if found is None or start_s <= middle:
            found = part
        blocks = np.array_split(part.samples, max(1, round(BINS * part.seconds / max(seconds, 1e-9))), axis=1)
        levels += [float(np.abs(block).max(initial=0.0)) for block in blocks]
    assert found is not None
    return found, 0.45 * np.minimum(1.0, np.array(levels))
