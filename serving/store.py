"""Open MLflow safely: a new SQLite store is made by one process at a time, and changes of a champion are made alone.

client = open_store("sqlite:////home/ann/.jamflow/mlflow.db")
with alone(lock_beside("sqlite:///...", "groove")): ...
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.music.files import whole_file
from serving.where import SQLITE


def open_store(uri: str) -> Any:
    """An MlflowClient whose store exists; four processes making one at once would break it."""
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    with alone(lock_beside(uri)), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations between MLflow and its own libraries
        import mlflow

        for chatty in ("mlflow", "alembic"):
            logging.getLogger(chatty).setLevel(logging.ERROR)
        if uri.startswith(SQLITE):
            _make(Path(uri.removeprefix(SQLITE)))
        client = mlflow.MlflowClient(uri, uri)
        client.search_experiments(max_results=1)
    return client


def _make(database: Path) -> None:
    """Make a store's tables in memory and put the file in place whole: hundreds of small commits are slow on a disk."""
    if database.exists():
        return
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine

    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as scratch:
        engine = create_sqlalchemy_engine(f"{SQLITE}{scratch}/{database.name}")
        _initialize_tables(engine)
        engine.dispose()
        with whole_file(database) as part:
            shutil.copyfile(Path(scratch, database.name), part)


def lock_beside(uri: str, what: str = "") -> Path:
    """The lock file of a store, or of one thing in it: beside a SQLite file, else in this machine's temporary folder."""
    ending = f".{what}.lock" if what else ".lock"
    if uri.startswith(SQLITE):
        database = Path(uri.removeprefix(SQLITE))
        return database.with_name(f".{database.name}{ending}")
    server = hashlib.sha256(uri.encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"jamflow-{os.getuid()}-{server}{ending}"


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock file; others wait, and a process that dies lets go of it."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
