"""Where things run and live: the one place that knows a laptop from a cluster.

    profile = Profile.load()            # environment, then JAMFLOW_HOME/settings.yaml, then defaults
    profile.home / "runs"               # nothing else reads JAMFLOW_* for itself

settings.yaml holds the same names as the fields below; JAMFLOW_<FIELD> in the environment comes first. A laptop needs
neither.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from models.music.config import from_mapping, read_yaml
from models.music.errors import BadConfig
from serving.where import Where, database_of, sqlite_at

SETTINGS = "settings.yaml"


@dataclasses.dataclass(frozen=True)
class Profile:
    """Everything that differs between a laptop and a cluster."""

    home: Path
    """Folder for everything a laptop keeps."""
    profile: Literal["laptop", "cluster"] = "laptop"
    """Run here, or submit to Kubeflow."""
    runner: Literal["subprocess", "containers"] = "subprocess"
    """How a laptop runs a stage: as a process, or in its image through a Docker engine."""
    tracking_uri: str = ""
    """MLflow: a server, or a SQLite file in home when empty; "off" tracks nothing."""
    artifacts: str = ""
    """Where MLflow keeps pictures and models: a folder or s3://bucket/prefix; home/artifacts when empty."""
    images: str = "localhost/jamflow"
    """Prefix of the stage images, e.g. registry.example/jamflow."""
    kfp_host: str = ""
    """Kubeflow Pipelines API, e.g. http://localhost:8888; needed on a cluster."""
    pipeline_root: str = ""
    """Where a cluster keeps artifacts, e.g. s3://bucket/pipelines."""
    namespace: str = ""
    """Kubernetes namespace of a multi-user Kubeflow; empty for a single-user one."""
    repository: str = ""
    """Triton's model repository, a folder; home/repository when empty."""
    server: str = ""
    """A cluster's Triton, host:port (stages find its admin key in JAMFLOW_ADMIN_KEY); a laptop's own when empty."""
    work: str = ""
    """Where trainings keep checkpoints until they end: a folder or s3://bucket/prefix; home/training when empty."""

    def __post_init__(self) -> None:
        if self.profile == "cluster" and not self.kfp_host:
            raise BadConfig(
                "profile is cluster, but kfp_host is empty. Set JAMFLOW_KFP_HOST=http://... or profile: laptop."
            )
        if not self.tracking_uri:
            sqlite_at(self.home)  # a home that no database can live in is refused by every command alike

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None) -> Profile:
        """Read the environment and settings.yaml; an unknown name in either is an error with a suggestion."""
        environment = os.environ if environment is None else environment
        home = Path(environment.get("JAMFLOW_HOME") or "~/.jamflow").expanduser().absolute()
        chosen: dict[str, Any] = {}
        file = Path(environment.get("JAMFLOW_SETTINGS") or home / SETTINGS)
        if file.is_file():
            chosen.update(read_yaml(file))
        for field in dataclasses.fields(cls):
            if field.name != "home" and (value := environment.get(f"JAMFLOW_{field.name.upper()}")):
                chosen[field.name] = value
        chosen["home"] = home
        return from_mapping(cls, chosen, file.name)

    @property
    def runs(self) -> Path:
        return self.home / "runs"

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    @property
    def mlflow_uri(self) -> str | None:
        """The address of MLflow, or None when tracking is off."""
        if self.tracking_uri == "off":
            return None
        return self.tracking_uri or sqlite_at(self.home / "mlflow.db")

    @property
    def has_registry(self) -> bool:
        """Whether there is anything to look into: a SQLite file is made when something is first registered."""
        uri = self.mlflow_uri or ""
        database = database_of(uri)
        return bool(uri) and (database is None or database.exists())

    @property
    def mlflow_command(self) -> str:
        """How to look at MLflow: a command, or the server's address."""
        uri = self.mlflow_uri or "off"
        program = "mlflow" if shutil.which("mlflow") else Path(sys.executable).with_name("mlflow")
        return f"{program} ui --backend-store-uri {shlex.quote(uri)}" if database_of(uri) else uri

    @property
    def artifacts_uri(self) -> str:
        return self.artifacts or (self.home / "artifacts").as_uri()

    @property
    def repository_path(self) -> str:
        return self.repository or str(self.home / "repository")

    @property
    def serving(self) -> Path:
        """Where a laptop's server tells its address."""
        return self.home / "serving.json"

    @property
    def where(self) -> Where:
        """What the runner tells a stage that asks for `where`; folders of this machine mean nothing in a pod."""
        told = Where(self.mlflow_uri or "", self.artifacts_uri, self.repository_path, self.server, self.work)
        if self.profile == "laptop":
            here = {"server": self.server or str(self.serving), "work": self.work or str(self.home / "training")}
            return dataclasses.replace(told, **here)
        beside = f"{self.artifacts.rstrip('/')}/training" if self.artifacts else ""
        return dataclasses.replace(
            told,
            registry=self.tracking_uri,
            artifacts=self.artifacts,
            repository=self.repository,
            work=self.work or beside,
        )
