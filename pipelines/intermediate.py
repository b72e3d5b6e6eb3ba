"""A pipeline as KFP's intermediate YAML: compiled, told where its cluster tracks, and checked without a cluster.

    documents = compiled(train_groove, profile)
    write("train-groove.yaml", documents)

The check reads every document into KFP's own protobuf messages, which refuse unknown fields and wrong types, and then
follows every reference. What it cannot prove is a cluster's business: pulls, permissions, scheduling.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from backstage.door import TRACK_TO
from models.music.errors import BadConfig
from models.music.files import write_text
from pipelines.settings import Profile

RUN_NAME = "metadata.annotations['pipelines.kubeflow.org/run_name']"


def compiled(pipeline: Any, profile: Profile) -> list[dict[str, Any]]:
    """Compile a pipeline for a profile; return its documents, checked."""
    from kfp import compiler

    with tempfile.TemporaryDirectory(prefix="jamflow-") as folder:
        path = Path(folder, "pipeline.yaml")
        compiler.Compiler().compile(pipeline, str(path))
        documents = [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]
    if profile.profile == "cluster":
        documents = _tracked(documents, profile)
    check(documents)
    return documents


def write(path: str | os.PathLike[str], documents: list[dict[str, Any]]) -> Path:
    """Write the documents, whole."""
    return write_text(path, yaml.safe_dump_all(documents, sort_keys=True))


def check(documents: list[dict[str, Any]]) -> None:
    """Refuse what a KFP backend would refuse."""
    from google.protobuf import json_format
    from kfp.kubernetes import kubernetes_executor_config_pb2
    from kfp.pipeline_spec import pipeline_spec_pb2 as messages

    spec = documents[0]
    with _told("pipeline"):
        json_format.ParseDict(spec, messages.PipelineSpec())  # type: ignore[attr-defined]
        json_format.ParseDict(spec["deploymentSpec"], messages.PipelineDeploymentConfig())  # type: ignore[attr-defined]
    for document in documents[1:]:
        with _told("platform"):
            json_format.ParseDict(document, messages.PlatformSpec())  # type: ignore[attr-defined]
        for label, settings in _platform_executors(document).items():
            with _told(label):
                json_format.ParseDict(settings, kubernetes_executor_config_pb2.KubernetesExecutorConfig())  # type: ignore[attr-defined]
            if label not in spec["deploymentSpec"]["executors"]:
                raise BadConfig(f"{label}: Kubernetes settings for a stage that is not in the pipeline.")
    _check_references(spec)


def _check_references(spec: Mapping[str, Any]) -> None:
    components, executors = spec["components"], spec["deploymentSpec"]["executors"]
    for name, component in [("root", spec["root"]), *components.items()]:
        if "executorLabel" in component and component["executorLabel"] not in executors:
            raise BadConfig(f"{name}: its executor {component['executorLabel']} is missing.")
        tasks = component.get("dag", {}).get("tasks", {})
        for task, wanted in tasks.items():
            if wanted["componentRef"]["name"] not in components:
                raise BadConfig(f"{task}: its component {wanted['componentRef']['name']} is missing.")
            for producer in _producers(wanted):
                if producer not in tasks:
                    raise BadConfig(f"{task}: waits for {producer}, which is not in {name}.")


def _producers(task: Mapping[str, Any]) -> Iterator[str]:
    yield from task.get("dependentTasks", [])
    for kind in ("parameters", "artifacts"):
        for given in task.get("inputs", {}).get(kind, {}).values():
            for reference in ("taskOutputParameter", "taskOutputArtifact"):
                if reference in given:
                    yield given[reference]["producerTask"]


def _tracked(documents: list[dict[str, Any]], profile: Profile) -> list[dict[str, Any]]:
    """Tell every pod where MLflow is and what its run is called: nobody else reads its record there."""
    spec = documents[0]
    platform = (
        documents[1] if len(documents) > 1 else {"platforms": {"kubernetes": {"deploymentSpec": {"executors": {}}}}}
    )
    for label, executor in spec["deploymentSpec"]["executors"].items():
        if "container" in executor:
            told = {TRACK_TO: profile.tracking_uri, "JAMFLOW_EXPERIMENT": spec["pipelineInfo"]["name"]}
            told["JAMFLOW_IMAGE"] = executor["container"]["image"]
            executor["container"].setdefault("env", []).extend({"name": n, "value": v} for n, v in told.items() if v)
            settings = _platform_executors(platform).setdefault(label, {})
            settings.setdefault("fieldPathAsEnv", []).append({"name": "JAMFLOW_RUN", "fieldPath": RUN_NAME})
    return [spec, platform]


def _platform_executors(document: dict[str, Any]) -> dict[str, Any]:
    return document["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    from google.protobuf import json_format

    try:
        yield
    except (json_format.ParseError, KeyError, TypeError) as error:
        raise BadConfig(f"{what}: not valid KFP YAML ({' '.join(str(error).split())}).") from error
