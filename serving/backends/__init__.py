"""What runs inside Triton's python backend: one folder a model. The only room of serving that needs torch."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from serving.families import family


def open_player(name: str, folder: Path) -> Any:
    """Load a model's player in this process; it answers exactly what Triton would."""
    backend = importlib.import_module(f"serving.backends.{family(name).name}.model")
    return backend.TritonPythonModel().open_player(folder)
