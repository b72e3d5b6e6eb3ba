"""An MLflow database that is locked, damaged, half written, of another make or a folder: one line, soon, with the way out."""

import contextlib
import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from models.music.errors import RegistryError
from pipelines import checkup
from pipelines.cli import main
from pipelines.settings import Profile
from serving import store
from serving.store import open_store
from serving.where import sqlite_at


def text(database: Path) -> None:
    database.write_bytes(b"not a database" * 500)


def cut(database: Path) -> None:
    database.write_bytes(database.read_bytes()[: database.stat().st_size // 3])


def empty(database: Path) -> None:
    database.write_bytes(b"")


def holes(database: Path) -> None:
    """The first pages are whole; what lies behind them is not."""
    held = bytearray(database.read_bytes())
    held[40_960:] = b"\xff" * (len(held) - 40_960)
    database.write_bytes(held)


def another_program_s(database: Path) -> None:
    database.unlink()
    with contextlib.closing(sqlite3.connect(database)) as opened:
        opened.execute("CREATE TABLE songs (name TEXT)")


def another_schema(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as opened, opened:
        opened.execute("UPDATE alembic_version SET version_num = 'cafe01234567'")


def folder(database: Path) -> None:
    database.unlink()
    database.mkdir()


FAULTS = {
    text: r"damaged \(file is not a database\). Move it away",
    cut: r"damaged \(database disk image is malformed\). Move it away",
    empty: "half written, or another program's: it has no table alembic_version. Move it away",
    holes: r"damaged \(.*malformed.*\). Move it away",
    another_program_s: "half written, or another program's: it has no table",
    another_schema: r"made by another version of MLflow \(.*cafe01234567.*\). Copy it, then upgrade it",
    folder: "a folder, not a database. Move it away",
}


@pytest.fixture
def database(home, empty_store) -> Path:
    home.mkdir()
    return shutil.copyfile(empty_store, home / "mlflow.db")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_broken_database_is_one_line_and_the_doctor_finds_it(database, fault, capsys):
    fault(database)
    began = time.monotonic()
    for command in (["models"], ["deploy", "groove"]):
        assert main(command) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"jamflow: {database}: ")
        assert len(said.splitlines()) == 1, said
        with pytest.raises(RegistryError, match=FAULTS[fault]):
            raise RegistryError(said)
    finding = checkup.store(Profile.load())
    assert (finding.state, bool(finding.advice)) == ("missing", True)
    assert time.monotonic() - began < 20.0


def test_a_locked_database_is_one_line_and_the_doctor_finds_it(database, monkeypatch, capsys):
    monkeypatch.setattr(store, "LOCKED_S", 0.3)
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert main(["models"]) == 1
        assert "another program has locked it" in capsys.readouterr().err
        assert "locked" in checkup.store(Profile.load()).found
    assert main(["models"]) == 0


def test_a_database_that_breaks_while_it_is_open_is_one_line(database):
    client = open_store(sqlite_at(database))
    cut(database)
    with pytest.raises(RegistryError, match=rf"{database}: (damaged|the registry does not answer)"):
        client.search_registered_models()
