"""The digest of the source that stages run: image tag, cache key and lineage tag in one.

KFP's cache sees a stage's own body but not what it imports, so everything a stage can import counts.
"""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path

SOURCE_ROOT = Path(__file__).resolve().parents[1]
SOURCE_PACKAGES = ("models", "serving", "backstage", "components")
"""What a stage can import: the rooms above them never run inside one."""


@functools.cache
def source_digest(root: Path = SOURCE_ROOT) -> str:
    """Sixteen digits for everything a stage can import: code, settings and shipped weights."""
    digest = hashlib.sha256()
    for package in SOURCE_PACKAGES:
        for folder, folders, names in os.walk(root / package):
            folders[:] = sorted(name for name in folders if name != "__pycache__" and not name.startswith("."))
            for name in sorted(names):
                if not name.startswith(".") and not name.endswith((".pyc", ".part")):
                    path = Path(folder, name)
                    digest.update(f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode())
                    digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
