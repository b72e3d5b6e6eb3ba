"""Open MLflow safely: a new SQLite store is made by one process at a time, and what is wrong with one is said in a line.

client = open_store("sqlite:////home/ann/.jamflow/mlflow.db")
check_database(Path("/home/ann/.jamflow/mlflow.db"), thoroughly=True)
with alone(lock_beside("sqlite:///...", "groove")): ...
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import os
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.music.errors import RegistryError
from models.music.files import whole_file
from serving.locks import alone
from serving.scratch import MEMORY, scratch
from serving.where import database_of, sqlite_at

LOCKED_S = 5.0
"""So long another program may write before a database is called locked."""
TABLES = {"alembic_version", "experiments", "runs", "registered_models", "model_versions"}
BROKEN = ("TEMPORARILY_UNAVAILABLE", "BAD_REQUEST", "INTERNAL_ERROR")
"""What MLflow calls an error of the database or of the server behind it."""
SETTINGS = {
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


def open_store(uri: str) -> Any:
    """An MlflowClient whose store exists and whose errors are sentences; four processes making one at once would break it."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    database = database_of(uri)
    with alone(lock_beside(uri)), warnings.catch_warnings():
        if database is not None and database.exists():
            check_database(database)  # MLflow would try ten times, which takes a minute
        warnings.simplefilter("ignore")  # deprecations between MLflow and its own libraries
        import mlflow

        for chatty in ("mlflow", "alembic"):
            logging.getLogger(chatty).setLevel(logging.CRITICAL)  # what it logs as an error it raises too
        if database is not None and not database.exists():
            _make(database)
        with spoken_errors(uri):
            client = mlflow.MlflowClient(uri, uri)
            client.search_experiments(max_results=1)
    return _Spoken(client, uri)


def check_database(database: Path, *, thoroughly: bool = False) -> None:
    """Raise RegistryError unless a SQLite file can be read and written and holds what MLflow keeps."""
    if not database.is_file():
        raise RegistryError(f"{database}: a folder, not a database. Move it away; a new database is made.")
    try:
        address = f"{database.absolute().as_uri()}?mode=rw"
        with contextlib.closing(sqlite3.connect(address, LOCKED_S, isolation_level=None, uri=True)) as opened:
            opened.execute("BEGIN IMMEDIATE")
            opened.execute("ROLLBACK")
            tables = {name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if thoroughly:
                [found] = opened.execute("PRAGMA quick_check(1)").fetchone()
                if found != "ok":
                    raise sqlite3.DatabaseError(f"database disk image is malformed: {found}")
    except sqlite3.Error as error:
        raise RegistryError(_sentence(str(error), str(database))) from error
    if not tables >= TABLES:
        raise RegistryError(
            f"{database}: half written, or another program's: it has no table {min(TABLES - tables)}."
            " Move it away; a new database is made."
        )


@contextlib.contextmanager
def spoken_errors(uri: str) -> Iterator[None]:
    """Turn what MLflow and its database raise into one line with a way out; what it says about its contents passes."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except MlflowException as error:
        if error.error_code not in BROKEN:
            raise
        raise RegistryError(_sentence(str(error.message), str(database_of(uri) or uri))) from error
    except SQLAlchemyError as error:
        raise RegistryError(_sentence(str(error), str(database_of(uri) or uri))) from error


class _Spoken:
    """A client whose every call speaks so."""

    def __init__(self, client: Any, uri: str) -> None:
        self._client, self._uri = client, uri

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        @functools.wraps(call)
        def spoken(*args: Any, **more: Any) -> Any:
            with spoken_errors(self._uri):
                return call(*args, **more)

        return spoken


def _sentence(words: str, where: str) -> str:
    """Say what is wrong with a store, and the way out."""
    told = " ".join(words.split("[SQL:")[0].split())
    if "locked" in told:
        return f"{where}: another program has locked it for {LOCKED_S:g} s. End that program (`fuser {where}`), or try again."
    if "readonly" in told:
        return f"{where}: it cannot be written. Give yourself the right to, or set JAMFLOW_HOME to another folder."
    if any(word in told for word in ("not a database", "malformed", "disk I/O", "no such table", "no such column")):
        return f"{where}: damaged ({told}). Move it away; a new database is made, and serving begins with the starters."
    if "schema" in told:
        return (
            f"{where}: made by another version of MLflow ({told.split('. ')[0]}). Copy it, then upgrade it"
            " (`mlflow db upgrade URI`), or move it away."
        )
    return f"{where}: the registry does not answer ({told}). Check the address, or see what its server says."


def _make(database: Path) -> None:
    """Make a store's tables in memory and put the file in place whole: hundreds of small commits are slow on a disk."""
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine

    with scratch("store", MEMORY if MEMORY.is_dir() else None) as there:
        engine = create_sqlalchemy_engine(sqlite_at(there / "mlflow.db"))
        _initialize_tables(engine)
        engine.dispose()
        with whole_file(database) as part:
            shutil.copyfile(there / "mlflow.db", part)


def lock_beside(uri: str, what: str = "") -> Path:
    """The lock file of a store, or of one thing in it: beside a SQLite file, else in this machine's temporary folder."""
    ending = f".{what}.lock" if what else ".lock"
    if (database := database_of(uri)) is not None:
        return database.with_name(f".{database.name}{ending}")
    server = hashlib.sha256(uri.encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"jamflow-{os.getuid()}-{server}{ending}"
