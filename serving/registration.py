"""Take a trained model into the registry: one version for one model, whoever brings it and however often.

    version = register(registry, "groove", folder, {"timing_mae_ms": 19.1}, pictures=["loss.png"])     # the challenger

A model folder goes in whole with a golden request that it answered where it was made, and loads without us too:
`mlflow.pyfunc.load_model("models:/groove@champion")`. Nothing is pickled.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.music.files import MANIFEST, check_folder, sha256
from serving.contract import NUMPY, Arrays, ModelContract
from serving.families import Family, family
from serving.golden import FILE as GOLDEN
from serving.golden import Golden
from serving.locks import alone
from serving.registry import CHALLENGER, CHAMPION, METRIC, MODEL, Registry
from serving.scratch import scratch, temporaries_in
from serving.store import lock_beside

EXPERIMENT = "registered-models"
REGISTERING = "registering"
"""The family that a run registers a model of, as long as it does."""
STARTER = "starter"


def register(
    registry: Registry,
    name: str,
    model_folder: str | Path,
    metrics: Mapping[str, float],
    example: Arrays | None = None,
    pictures: Sequence[str | Path] = (),
    tags: Mapping[str, str] | None = None,
) -> int:
    """Make a model the challenger and return its version; one that is here already keeps its number."""
    kept = family(name)
    check_folder(model_folder)
    digest = sha256(Path(model_folder, MANIFEST))
    figures = {f"{METRIC}{key}": repr(float(value)) for key, value in metrics.items()}
    with alone(_lock(registry, name)):
        version = _known(registry, name, digest)
        if version is None:
            _clear_away(registry, name)
            run_id = _note_run(registry, name, metrics, pictures, tags or {})
            golden = Golden.record(name, model_folder, example)
            with registry.speaking():
                source = _log_model(kept, Path(model_folder), golden, run_id)
                made = registry.client.create_model_version(
                    name, source, run_id=run_id, tags={**figures, MODEL: digest}
                )
            registry.client.delete_tag(run_id, REGISTERING)
            registry.client.set_terminated(run_id)
            version = int(made.version)
        else:
            for key, value in figures.items():
                registry.client.set_model_version_tag(name, str(version), key, value)
        if registry.alias(name, CHAMPION) != version:
            registry.client.set_registered_model_alias(name, CHALLENGER, str(version))
    return version


def _known(registry: Registry, name: str, digest: str) -> int | None:
    return next((v for v in reversed(registry.versions(name)) if registry.model_digest(name, v) == digest), None)


def clear_away(registry: Registry, name: str) -> None:
    """Remove what registrations of a family left whose process died."""
    with alone(_lock(registry, name)):
        _clear_away(registry, name)


def _lock(registry: Registry, name: str) -> Path:
    return lock_beside(registry.uri, f"{name}.versions")


def _clear_away(registry: Registry, name: str) -> None:
    """Whoever registers holds the lock, so none of those who seem to be at it is alive."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    experiment, client = _experiment(registry), registry.client
    for run in client.search_runs([experiment], f"tags.{REGISTERING} = '{name}'"):
        run_id = run.info.run_id
        if not client.search_model_versions(f"run_id='{run_id}'"):
            for model in client.search_logged_models([experiment], filter_string=f"source_run_id='{run_id}'"):
                with contextlib.suppress(OSError):  # it had not brought any files
                    get_artifact_repository(model.artifact_location).delete_artifacts()
                client.delete_logged_model(model.model_id)
            client.set_terminated(run_id, "KILLED")
        client.delete_tag(run_id, REGISTERING)


def _note_run(
    registry: Registry,
    name: str,
    metrics: Mapping[str, float],
    pictures: Sequence[str | Path],
    tags: Mapping[str, str],
) -> str:
    from mlflow.exceptions import MlflowException

    called = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    told = {**tags, REGISTERING: name}
    run_id = registry.client.create_run(_experiment(registry), run_name=called, tags=told).info.run_id
    for metric, value in metrics.items():
        registry.client.log_metric(run_id, metric, float(value))
    for picture in pictures:
        registry.client.log_artifact(run_id, str(picture), "pictures")
    with contextlib.suppress(MlflowException):  # it is there already
        registry.client.create_registered_model(name)
    return run_id


def _experiment(registry: Registry) -> str:
    found = registry.client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return found.experiment_id
    where = f"{registry.artifacts_uri.rstrip('/')}/{EXPERIMENT}" if registry.artifacts_uri else None
    return registry.client.create_experiment(EXPERIMENT, where)


def _log_model(kept: Family, folder: Path, golden: Golden, run_id: str) -> str:
    import mlflow

    with scratch("register") as there, temporaries_in(there):
        renamed = shutil.copytree(folder, there / "model")  # MLflow keeps an artifact under its folder's own name
        artifacts = {"model": str(renamed), "golden": str(golden.write(there / GOLDEN))}
        with mlflow.start_run(run_id=run_id, nested=True):
            logged = mlflow.pyfunc.log_model(
                name=kept.name,
                python_model=str(Path(__file__).with_name("flavour.py")),
                model_config={"name": kept.name},
                artifacts=artifacts,
                signature=signature(kept.contract),
                input_example=dict(golden.request),
                pip_requirements=[
                    f"{package}=={importlib.metadata.version(package).split('+')[0]}"
                    for package in ("mlflow", "numpy", *kept.requires)
                ],
            )
    return logged.model_uri


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
