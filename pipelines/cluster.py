"""Hand a pipeline to Kubeflow: the same definition that runs on a laptop, compiled for the profile's images.

submitted = submit(train_groove, {"preset": "studio"}, profile, wait_minutes=90)
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import io
import tempfile
import warnings
from pathlib import Path
from typing import Any

from backstage.pipeline_run import plain
from backstage.quoting import quoted
from models.music.errors import BadConfig, TooLate, Unavailable
from pipelines.intermediate import compiled, write
from pipelines.settings import Profile

ASK_EVERY_S = 5


@dataclasses.dataclass(frozen=True)
class Submitted:
    """A run on the cluster."""

    run_id: str
    state: str
    page: str


def submit(
    pipeline: Any,
    arguments: dict[str, Any],
    profile: Profile,
    *,
    cached: bool = True,
    wait_minutes: float | None = None,
) -> Submitted:
    """Submit a pipeline, and wait for its end when asked to."""
    from kfp_server_api import ApiException
    from urllib3.exceptions import HTTPError

    if profile.profile != "cluster":
        raise BadConfig(
            "the profile is laptop. Set JAMFLOW_PROFILE=cluster and JAMFLOW_KFP_HOST, or use `jamflow run`."
        )
    if artifacts := [name for name, value in arguments.items() if hasattr(value, "uri")]:
        raise BadConfig(
            f"{', '.join(artifacts)}: a cluster cannot see this machine's files."
            f" Run {pipeline.name} here by `jamflow run`, or submit one that takes an address (s3://…)."
        )
    documents = compiled(pipeline, profile)
    name = documents[0]["pipelineInfo"]["name"]
    inputs = documents[0]["root"].get("inputDefinitions", {}).get("parameters", {})
    known = {"where": dataclasses.asdict(profile.where)} if "where" in inputs else {}
    try:
        with tempfile.TemporaryDirectory(prefix="jamflow-") as folder, contextlib.redirect_stdout(io.StringIO()):
            client = _client(profile)
            made = client.create_run_from_pipeline_package(
                str(write(Path(folder, f"{name}.yaml"), documents)),
                arguments=quoted(plain({**known, **arguments})),
                run_name=f"{name}-{datetime.datetime.now():%Y%m%d-%H%M%S}",
                experiment_name=name,
                namespace=profile.namespace or None,
                pipeline_root=profile.pipeline_root or None,
                enable_caching=None if cached else False,
            )
            run = client.get_run(made.run_id)
            if wait_minutes:
                run = client.wait_for_run_completion(made.run_id, wait_minutes * 60, ASK_EVERY_S)
    except TimeoutError as error:
        raise TooLate(
            f"{name}: not finished after {wait_minutes:g} minutes; it goes on. See {profile.kfp_host}."
        ) from error
    except ApiException as error:
        raise Unavailable(
            f"{profile.kfp_host}: refused {name} ({error.status} {error.reason}: {error.body})."
        ) from error
    except HTTPError as error:
        said = " ".join(str(error).split())
        raise Unavailable(
            f"{profile.kfp_host}: no answer ({said}). Check JAMFLOW_KFP_HOST and the port-forward."
        ) from error
    return Submitted(made.run_id, str(run.state), f"{profile.kfp_host}/#/runs/details/{made.run_id}")


def _client(profile: Profile) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # it names the KFP versions it works with
        from kfp import Client

        return Client(host=profile.kfp_host, namespace=profile.namespace or "kubeflow")
