"""The model registry: which versions there are, how good they are, and which one is the champion.

    registry = Registry.at(where)
    registry.alias("groove", CHAMPION), registry.metrics("groove", 3)
    registry.promote("groove", 3)
    registry.rollback("groove")
    with registry.alone("groove"): ...          # nobody else moves its champion meanwhile

Versions come in by serving/registration.py; a model folder comes out whole (its manifest is checked on the way).
"""

from __future__ import annotations

import contextlib
import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.music.errors import BadInput, RegistryError, StorageError
from models.music.files import check_folder
from serving.families import FAMILIES, family
from serving.locks import alone
from serving.store import lock_beside, open_store, spoken_errors
from serving.where import Where

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""What MLflow calls a model or an alias that is not there."""
METRIC, HISTORY, MODEL = "metric.", "promotion.", "model.sha256"
CROWNING = "crowning"
"""The promotion that is being written down: the point of no return. From here on it is finished, whoever dies."""


class Registry:
    """Our models in MLflow."""

    def __init__(self, tracking_uri: str, artifacts_uri: str = "") -> None:
        if not tracking_uri:
            raise RegistryError("there is no model registry: tracking is off. Set tracking_uri to an MLflow store.")
        self.uri, self.artifacts_uri = tracking_uri, artifacts_uri
        self.client = open_store(tracking_uri)

    @classmethod
    def at(cls, where: Where) -> Registry:
        return cls(where.registry, where.artifacts)

    def names(self) -> list[str]:
        """The families that have versions here."""
        return sorted(model.name for model in self.client.search_registered_models() if model.name in FAMILIES)

    def versions(self, name: str) -> list[int]:
        return sorted(
            int(version.version) for version in self.client.search_model_versions(f"name='{family(name).name}'")
        )

    def alias(self, name: str, alias: str) -> int | None:
        """The version an alias points to, or None."""
        from mlflow.exceptions import MlflowException

        try:
            return int(self.client.get_model_version_by_alias(family(name).name, alias).version)
        except MlflowException as error:
            if error.error_code not in ABSENT:
                raise RegistryError(
                    f"{name}: the registry does not answer ({error.message}). Check {self.uri}."
                ) from error
            return None

    def model_digest(self, name: str, version: int) -> str | None:
        """What tells a version's model from every other; None for one that was registered without."""
        return self._version(name, version).tags.get(MODEL)

    def source(self, name: str, version: int) -> str:
        """Where a version came from, such as "starter"; "" when nobody said so."""
        return self.client.get_run(self._version(name, version).run_id).data.tags.get("source", "")

    def metrics(self, name: str, version: int) -> dict[str, float]:
        """The figures a version was registered with."""
        tags = self._version(name, version).tags
        return {key.removeprefix(METRIC): float(value) for key, value in tags.items() if key.startswith(METRIC)}

    def history(self, name: str) -> list[str]:
        """Every promotion and rollback of a model, oldest first."""
        tags = self._tags(name)
        return [tags[key] for key in sorted(tags) if key.startswith(HISTORY)]

    def download(self, name: str, version: int, folder: str | Path) -> Path:
        """Fetch a version: folder/model is the trained model, checked; folder/golden.npz its golden request."""
        from mlflow.artifacts import download_artifacts

        source = self._version(name, version)
        folder = Path(folder)
        with self.speaking():
            try:
                got = Path(download_artifacts(f"models:/{name}/{source.version}", dst_path=str(folder)))
            except Exception as error:  # MLflow raises whatever its store raises
                raise StorageError(
                    f"{name} {version}: not fetched from the registry ({' '.join(str(error).split())}). "
                    f"Bring its artifact store back, or deploy another version: `jamflow models {name}` lists them."
                ) from error
        for each in (got / "artifacts").iterdir():
            each.replace(folder / each.name)
        try:
            check_folder(folder / "model")
        except BadInput as error:
            found = str(error).removeprefix(f"{folder / 'model'}: ").split(". ")[0]
            raise StorageError(
                f"{name} {version}: the registry's copy is damaged ({found}). Register the model again, or deploy"
                f" another version: `jamflow models {name}` lists them."
            ) from error
        return folder

    def promote(self, name: str, version: int) -> None:
        """Make a version the champion; of two who try at once, one wins and the other hears so."""
        with self.promotion(name, version, self.alias(name, CHAMPION)):
            pass

    def rollback(self, name: str) -> int:
        """Make the previous champion the champion again; return its version."""
        version = self.previous(name)
        with self.promotion(name, version, self.alias(name, CHAMPION), "rollback"):
            return version

    def previous(self, name: str) -> int:
        version = self.alias(name, PREVIOUS)
        if version is None:
            raise RegistryError(
                f"{name}: there is no previous champion to go back to. See `mlflow ui`, and deploy a version by number."
            )
        return version

    @contextlib.contextmanager
    def promotion(self, name: str, version: int, seen: int | None, how: str = "promote") -> Iterator[None]:
        """Hold the lock while a block puts a version to work; move the aliases when it ends well.

        `seen` is the champion the decision was made against: if it is another by now, the race is lost.
        """
        self._version(name, version)
        with self.alone(name):
            champion = self.alias(name, CHAMPION)
            if champion != seen:
                raise RegistryError(
                    f"{name} {version}: lost the race, champion is {champion}. Compare with that one and promote again."
                )
            yield
            if version != champion:
                when, number = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), len(self.history(name)) + 1
                crowning = {"version": version, "before": champion, "line": f"{when} {how} {champion} -> {version}"}
                self.client.set_registered_model_tag(name, CROWNING, json.dumps({**crowning, "number": number}))
                self._crown(name)

    @contextlib.contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Hold a family's champion still: whatever is found half done meanwhile was left by a process that died."""
        with alone(lock_beside(self.uri, family(name).name)):
            self._crown(name)
            yield

    def _crown(self, name: str) -> None:
        """Move the aliases as the crowning says that was written down last; to do so twice changes nothing."""
        told = self._tags(name).get(CROWNING)
        if told is None:
            return
        crowning = json.loads(told)
        version, before = crowning["version"], crowning["before"]
        if before is not None:
            self.client.set_registered_model_alias(name, PREVIOUS, str(before))
        self.client.set_registered_model_alias(name, CHAMPION, str(version))
        if self.alias(name, CHALLENGER) == version:
            self.client.delete_registered_model_alias(name, CHALLENGER)
        self.client.set_registered_model_tag(name, f"{HISTORY}{crowning['number']:05d}", crowning["line"])
        self.client.delete_registered_model_tag(name, CROWNING)

    def _tags(self, name: str) -> dict[str, str]:
        from mlflow.exceptions import MlflowException

        try:
            return self.client.get_registered_model(family(name).name).tags
        except MlflowException as error:
            if error.error_code not in ABSENT:
                raise
            return {}

    def _version(self, name: str, version: int) -> Any:
        from mlflow.exceptions import MlflowException

        try:
            return self.client.get_model_version(family(name).name, str(version))
        except MlflowException as error:
            known = ", ".join(map(str, self.versions(name))) or "none"
            raise RegistryError(f"{name}: there is no version {version}; there are {known}.") from error

    @contextlib.contextmanager
    def speaking(self) -> Iterator[None]:
        """MLflow's fluent calls go to this registry for as long as the block lasts."""
        import mlflow

        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(self.uri)
        try:
            with warnings.catch_warnings(), spoken_errors(self.uri):
                warnings.simplefilter("ignore")  # MLflow's advice on type hints and its own deprecations
                yield
        finally:
            mlflow.set_tracking_uri(before)
