"""Who takes the drums out of a song: HTDemucs today, and torch is imported only when somebody does."""

from __future__ import annotations

from collections.abc import Callable

from models.music.audio import Audio


def drum_separator(model: str) -> Callable[[Audio], Audio]:
    """Load a separator by a folder or a pretrained name."""
    from models.separation.htdemucs import HTDemucs

    return HTDemucs.load(model).drums
