"""The voice that a stage was told to use, opened, and whoever ran the stage told which one it is.

asker = voice_of("groove", voice, where).asker
"""

from __future__ import annotations

from collections.abc import Mapping

from backstage.tracking import log_note
from serving.voices import Voice, open_voice
from serving.where import Where


def voice_of(name: str, voice: str, where: Mapping[str, str]) -> Voice:
    """Open a voice by the stage's parameters."""
    opened = open_voice(name, voice, Where.told(where))
    log_note(opened.spoken)
    return opened
