"""The champion's folder, fetched to be heard on the same data as its challenger, or to be played or built upon.

with champion_folder("groove", version, where) as folder:   # None for version 0: there is no champion yet
    ...
with model_folder("jam", "champion", where) as folder:      # or "starter", or a trained model's folder
    ...
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from backstage.tracking import log_tags
from serving.choice import CHAMPION, own_folder, starter_folder
from serving.where import Where


@contextlib.contextmanager
def champion_folder(name: str, version: int, where: Where) -> Iterator[Path | None]:
    """Give a champion's model folder for the block, and note in the record whom the challenger was heard beside."""
    if not version:
        yield None
        return
    from serving.registry import Registry
    from serving.scratch import scratch

    log_tags({"champion": f"{name}/{version}"})
    with scratch("champion") as there:
        yield Registry.at(where).download(name, version, there) / "model"


@contextlib.contextmanager
def model_folder(name: str, voice: str, where: Where) -> Iterator[Path]:
    """Give the folder of the model that a flag names; where there is no champion yet, the starter's."""
    if own := own_folder(voice):
        yield own
        return
    with champion_folder(name, _champion(name, where) if voice == CHAMPION else 0, where) as folder:
        yield folder or starter_folder(name, " (no champion is registered)" if voice == CHAMPION else "")


def _champion(name: str, where: Where) -> int:
    from serving.registry import Registry

    return Registry.at(where).alias(name, CHAMPION) or 0 if where.registry else 0
