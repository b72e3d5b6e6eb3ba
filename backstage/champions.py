"""The champion, fetched to be heard on the same data as its challenger.

with champion_folder("groove", version, where) as folder:   # None for version 0: there is no champion yet
    ...
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from backstage.tracking import log_tags
from serving.where import Where


@contextlib.contextmanager
def champion_folder(name: str, version: int, where: Where) -> Iterator[Path | None]:
    """Give a champion's model folder for the block, and note in the record whom the challenger was heard beside."""
    if not version:
        yield None
        return
    from serving.registry import Registry

    log_tags({"champion": f"{name}/{version}"})
    from serving.scratch import scratch

    with scratch("champion") as there:
        yield Registry.at(where).download(name, version, there) / "model"
