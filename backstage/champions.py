"""The champion, fetched to be heard on the same data as its challenger.

with champion_folder("groove", tracking_uri, artifacts_uri) as folder:   # None where there is no champion yet
    ...
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def champion_folder(name: str, tracking_uri: str, artifacts_uri: str = "") -> Iterator[Path | None]:
    """Give the champion's model folder for the block, or None without a registry or a champion."""
    if not tracking_uri:
        yield None
        return
    from serving.registry import CHAMPION, Registry

    registry = Registry(tracking_uri, artifacts_uri)
    version = registry.alias(name, CHAMPION)
    if version is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="jamflow-champion-") as there:
        yield registry.download(name, version, there) / "model"
