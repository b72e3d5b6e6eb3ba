"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests share their cores; torch threads would only fight
os.environ.setdefault("HF_HUB_OFFLINE", "1")
SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference tensors and recordings beside the checkout; a user has none, and the test skips."""
    if not SHARED.is_dir():
        pytest.skip("needs the reference material in ../shared, which is not part of the project")
    return SHARED


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty JAMFLOW_HOME for every test: nothing of the user's is read or written."""
    folder = tmp_path / "home"
    monkeypatch.setenv("JAMFLOW_HOME", str(folder))
    return folder
