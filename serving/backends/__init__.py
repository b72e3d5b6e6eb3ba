"""What runs inside Triton's python backend: one folder a model. The only room of serving that needs torch."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from serving.contract import contract_of


def open_player(name: str, folder: Path) -> Any:
    """Load a model's player in this process; it answers exactly what Triton would."""
    backend = importlib.import_module(f"serving.backends.{contract_of(name).name}.model")
    return backend.TritonPythonModel().open_player(folder)
