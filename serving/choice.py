"""The words by which a flag names a model: champion, starter, or a trained model's folder.

    own_folder("mine/model")        # the user's own, whole; None for champion and starter
    starter_folder("jam")           # the one that comes with Jamflow

open_voice (serving/voices.py) finds who plays by them, model_folder (backstage/champions.py) what is built upon or judged.
"""

from __future__ import annotations

from pathlib import Path

from models.music.errors import BadInput
from models.music.files import check_folder
from serving.families import family

CHAMPION, STARTER = "champion", "starter"


def own_folder(voice: str) -> Path | None:
    """Give the folder that a word names, unless it means the champion or the starter."""
    if voice in (CHAMPION, STARTER):
        return None
    if not Path(voice).is_dir():
        raise BadInput(f"voice is {voice!r}; give champion, starter or a trained model's folder.")
    check_folder(voice)
    return Path(voice)


def starter_folder(name: str, why: str = "") -> Path:
    """Give a family's starter, wanted for a reason that is told where none comes with it."""
    folder = family(name).starter_folder
    if folder is None:
        raise BadInput(f"{name}: no starter model comes with it{why}. Train one, or give a model's folder.")
    return folder
