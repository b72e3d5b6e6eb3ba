"""A separator on the wire: a song in, its stems out, part after part as they are made.

for part in separator(asker, song): ...          # {stem: Audio}, one part after the other
stems = whole_stems(asker, song)                 # {stem: Audio}
"""

from __future__ import annotations

from collections.abc import Iterator

from models.music.audio import Audio
from serving.asker import Asker
from serving.contracts.song import asked_in_parts, asked_whole, song_contract

STEM_NAMES: tuple[str, ...] = ("drums", "bass", "other", "vocals")
"""The order of the stems."""
SEPARATOR = song_contract("separator", STEM_NAMES)


def separator(asker: Asker, song: Audio, deadline_s: float | None = None) -> Iterator[dict[str, Audio]]:
    """Ask for a song's stems, part by part, with its own rate and channels."""
    return asked_in_parts(asker, SEPARATOR, STEM_NAMES, song, deadline_s)


def whole_stems(asker: Asker, song: Audio, deadline_s: float | None = None) -> dict[str, Audio]:
    """Ask for a song's stems and wait for all of them."""
    return asked_whole(asker, SEPARATOR, STEM_NAMES, song, deadline_s)
