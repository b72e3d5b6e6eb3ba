"""A beat that was laid, shown: its picture and its sound into the stage's record.

present(laid, "groove")
"""

from __future__ import annotations

from backstage.tracking import log_audio, log_picture
from models.drums.session import Laid


def present(laid: Laid, name: str) -> int:
    """Show a beat; return how many events it has."""
    log_picture(name, laid.picture)
    if laid.sound.is_file():
        log_audio(name, laid.sound)
    return laid.events
