"""The model registry: which versions there are, how good they are, and which one is the champion.

    registry = Registry(profile.mlflow_uri, profile.artifacts_uri)
    version = registry.register("groove", folder, {"timing_mae_ms": 19.1}, example, pictures=["loss.png"])   # the challenger
    registry.promote("groove", version)
    registry.rollback("groove")

A model folder goes in whole and comes out whole (its manifest is checked on the way), and loads without us too:
`mlflow.pyfunc.load_model("models:/groove@champion")`. Nothing is pickled.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.music.errors import RegistryError, StorageError
from models.music.files import check_folder
from serving.contract import NUMPY, Arrays, ModelContract
from serving.families import family
from serving.golden import FILE as GOLDEN
from serving.golden import Golden
from serving.store import alone, lock_beside, open_store

EXPERIMENT = "registered-models"
REQUIREMENTS = ("mlflow", "numpy", "torch", "safetensors")
CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""What MLflow calls a model or an alias that is not there."""
METRIC, HISTORY = "metric.", "promotion."


class Registry:
    """Our models in MLflow."""

    def __init__(self, tracking_uri: str, artifacts_uri: str | None = None) -> None:
        if not tracking_uri:
            raise RegistryError("there is no model registry: tracking is off. Set tracking_uri to an MLflow store.")
        self.uri = tracking_uri
        self._artifacts_uri = artifacts_uri
        self._client = open_store(tracking_uri)

    def register(
        self,
        name: str,
        model_folder: str | Path,
        metrics: Mapping[str, float],
        example: Arrays | None = None,
        pictures: Sequence[str | Path] = (),
        tags: Mapping[str, str] | None = None,
    ) -> int:
        """Keep a trained model as the next version and call it the challenger; return its number."""
        from mlflow.exceptions import MlflowException

        contract = family(name).contract
        check_folder(model_folder)
        golden = Golden.record(name, model_folder, example)
        run = self._client.create_run(
            self._experiment(), run_name=f"{name}-{time.strftime('%Y%m%d-%H%M%S')}", tags=dict(tags or {})
        )
        run_id = run.info.run_id
        for metric, value in metrics.items():
            self._client.log_metric(run_id, metric, float(value))
        for picture in pictures:
            self._client.log_artifact(run_id, str(picture), "pictures")
        with contextlib.suppress(MlflowException):  # it is there already
            self._client.create_registered_model(name)
        figures = {f"{METRIC}{key}": repr(float(value)) for key, value in metrics.items()}
        with self._speaking():
            source = self._log_model(contract, Path(model_folder), golden, run_id)
            made = self._client.create_model_version(name, source, run_id=run_id, tags=figures)
        self._client.set_registered_model_alias(name, CHALLENGER, made.version)
        self._client.set_terminated(run_id)
        return int(made.version)

    def names(self) -> list[str]:
        return sorted(model.name for model in self._client.search_registered_models())

    def versions(self, name: str) -> list[int]:
        return sorted(
            int(version.version) for version in self._client.search_model_versions(f"name='{family(name).name}'")
        )

    def alias(self, name: str, alias: str) -> int | None:
        """The version an alias points to, or None."""
        from mlflow.exceptions import MlflowException

        try:
            return int(self._client.get_model_version_by_alias(family(name).name, alias).version)
        except MlflowException as error:
            if error.error_code not in ABSENT:
                raise RegistryError(
                    f"{name}: the registry does not answer ({error.message}). Check {self.uri}."
                ) from error
            return None

    def metrics(self, name: str, version: int) -> dict[str, float]:
        """The figures a version was registered with."""
        tags = self._version(name, version).tags
        return {key.removeprefix(METRIC): float(value) for key, value in tags.items() if key.startswith(METRIC)}

    def history(self, name: str) -> list[str]:
        """Every promotion and rollback of a model, oldest first."""
        tags = self._client.get_registered_model(family(name).name).tags
        return [tags[key] for key in sorted(tags) if key.startswith(HISTORY)]

    def download(self, name: str, version: int, folder: str | Path) -> Path:
        """Fetch a version: folder/model is the trained model, checked; folder/golden.npz its golden request."""
        from mlflow.artifacts import download_artifacts

        source = self._version(name, version)
        folder = Path(folder)
        with tempfile.TemporaryDirectory(prefix="jamflow-download-") as there, self._speaking():
            try:
                got = Path(download_artifacts(f"models:/{name}/{source.version}", dst_path=there))
            except Exception as error:  # MLflow raises whatever its store raises
                raise StorageError(
                    f"{name} {version}: not fetched ({' '.join(str(error).split())}). Check the artifact store."
                ) from error
            shutil.copytree(got / "artifacts", folder, dirs_exist_ok=True)
        check_folder(folder / "model")
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
        with alone(lock_beside(self.uri, family(name).name)):
            champion = self.alias(name, CHAMPION)
            if champion != seen:
                raise RegistryError(
                    f"{name} {version}: lost the race, champion is {champion}. Compare with that one and promote again."
                )
            yield
            if version != champion:
                self._crown(name, version, champion, how)

    def _crown(self, name: str, version: int, champion: int | None, how: str) -> None:
        if champion is not None:
            self._client.set_registered_model_alias(name, PREVIOUS, str(champion))
        self._client.set_registered_model_alias(name, CHAMPION, str(version))
        if self.alias(name, CHALLENGER) == version:
            self._client.delete_registered_model_alias(name, CHALLENGER)
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._client.set_registered_model_tag(
            name, f"{HISTORY}{len(self.history(name)) + 1:05d}", f"{when} {how} {champion} -> {version}"
        )

    def _version(self, name: str, version: int) -> Any:
        from mlflow.exceptions import MlflowException

        try:
            return self._client.get_model_version(family(name).name, str(version))
        except MlflowException as error:
            known = ", ".join(map(str, self.versions(name))) or "none"
            raise RegistryError(f"{name}: there is no version {version}; there are {known}.") from error

    def _experiment(self) -> str:
        found = self._client.get_experiment_by_name(EXPERIMENT)
        if found is not None:
            return found.experiment_id
        where = f"{self._artifacts_uri.rstrip('/')}/{EXPERIMENT}" if self._artifacts_uri else None
        return self._client.create_experiment(EXPERIMENT, where)

    def _log_model(self, contract: ModelContract, folder: Path, golden: Golden, run_id: str) -> str:
        import mlflow

        with tempfile.TemporaryDirectory(prefix="jamflow-register-") as there:
            renamed = shutil.copytree(
                folder, Path(there) / "model"
            )  # MLflow keeps an artifact under its folder's own name
            artifacts = {"model": str(renamed), "golden": str(golden.write(Path(there) / GOLDEN))}
            with mlflow.start_run(run_id=run_id, nested=True):
                logged = mlflow.pyfunc.log_model(
                    name=contract.name,
                    python_model=str(Path(__file__).with_name("flavour.py")),
                    model_config={"name": contract.name},
                    artifacts=artifacts,
                    signature=signature(contract),
                    input_example=dict(golden.request),
                    pip_requirements=[
                        f"{package}=={importlib.metadata.version(package).split('+')[0]}" for package in REQUIREMENTS
                    ],
                )
        return logged.model_uri

    @contextlib.contextmanager
    def _speaking(self) -> Iterator[None]:
        """MLflow's fluent calls go to this registry for as long as the block lasts."""
        import mlflow

        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(self.uri)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # MLflow's advice on type hints and its own deprecations
                yield
        finally:
            mlflow.set_tracking_uri(before)


def signature(contract: ModelContract) -> Any:
    """A contract as MLflow writes it; its tensors cannot be optional, so those are left out."""
    import numpy as np
    from mlflow.models.signature import ModelSignature
    from mlflow.types.schema import Schema, TensorSpec

    inputs, outputs = (
        Schema([TensorSpec(np.dtype(NUMPY[t.dtype]), t.dims, t.name) for t in tensors if not t.optional])
        for tensors in (contract.inputs, contract.outputs)
    )
    return ModelSignature(inputs=inputs, outputs=outputs)
