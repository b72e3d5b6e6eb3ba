"""Where a run's world is: five addresses that a runner fills in and that travel to stages as one parameter, `where`.

    where = Where.told({"registry": "sqlite:////home/ann/.jamflow/mlflow.db", …})
    Registry.at(where)      Endpoint.of(where.server)
    sqlite_at(home / "mlflow.db"), database_of(where.registry)      # how a SQLite file is addressed, written once

A laptop's are files and folders, a cluster's are servers and buckets; a stage never asks which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from models.music.config import from_mapping
from models.music.errors import BadConfig

SQLITE = "sqlite:///"
UNSPEAKABLE = "?%"
"""MLflow reads these in an address of SQLite as something else, however they are quoted."""


def sqlite_at(database: Path) -> str:
    """The address of a SQLite file, or a sentence where no address can name it."""
    bad = next((sign for sign in str(database) if sign in UNSPEAKABLE or not sign.isprintable()), None)
    if bad is not None:
        raise BadConfig(
            f"{str(database)!r}: MLflow cannot keep a database at a path with {bad!r} in it."
            " Rename the folder, or set JAMFLOW_HOME to another."
        )
    return f"{SQLITE}{database}"


def database_of(registry: str) -> Path | None:
    """The SQLite file behind an address; None for a server."""
    return Path(registry.removeprefix(SQLITE)) if registry.startswith(SQLITE) else None


@dataclass(frozen=True)
class Where:
    """Addresses; an empty one is not there."""

    registry: str = ""
    """MLflow: a server, or sqlite:///FILE."""
    artifacts: str = ""
    """Where MLflow keeps what it is given: file:///FOLDER or s3://bucket/prefix."""
    repository: str = ""
    """Triton's model repository, a folder."""
    server: str = ""
    """Triton: a laptop's serving.json, or a cluster's host:port (its admin key is in JAMFLOW_ADMIN_KEY)."""
    work: str = ""
    """Where trainings keep checkpoints until they end: a folder or s3://bucket/prefix."""

    def folders(self) -> list[Path]:
        """The folders of this machine among the addresses: what a stage in a container must see of them."""
        found = []
        if (database := database_of(self.registry)) is not None:
            found.append(database.parent)
        if self.server.endswith(".json"):
            found.append(Path(self.server).parent)
        for address in (self.artifacts, self.repository, self.work):
            path = address.removeprefix("file://")
            if path and "://" not in path:
                found.append(Path(unquote(path) if address != path else path))
        return list(dict.fromkeys(found))

    @classmethod
    def told(cls, values: Mapping[str, str] | None) -> Where:
        """Read the parameter of a stage."""
        return from_mapping(cls, values or {}, "where")
