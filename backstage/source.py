"""Where our source lies, and under which key of it (backstage/keys.py) the stage in this process runs."""

from __future__ import annotations

import os
from pathlib import Path

SOURCE_ROOT = Path(__file__).resolve().parents[1]
STAGE_KEY = "JAMFLOW_STAGE_KEY"


def running_key() -> str:
    """The key of the stage that runs here, which the command that started it has set; "" outside a stage."""
    return os.environ.get(STAGE_KEY, "")
