"""Silence for libraries that write past Python into the error stream.

with hushed(): ...      # libjack says ten lines where no server runs
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Let nothing reach the error stream for the block."""
    try:
        error = sys.stderr.fileno()
    except (OSError, ValueError, AttributeError):  # a stream of somebody's own
        yield
        return
    sys.stderr.flush()
    kept = os.dup(error)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), error)
        yield
    finally:
        os.dup2(kept, error)
        os.close(kept)
