"""Stages that every pipeline shares: fetch the data at its start; register, gate and deploy the model at its end.

An evaluation is a folder: metrics.json (name to number), champion.json beside it when the champion was heard on the same
data, and any pictures (PNG).
"""

from kfp.dsl import Dataset, Input, Model, Output

from backstage.stage import stage


@stage(image="python-ops")
def fetch_dataset(source: str, dataset: Output[Dataset]) -> str:
    """Fetch a dataset: a folder, an archive, or a snapshot at file:// or s3://.

    Args:
        source: A folder, a .zip or .tar.gz, or the address of a snapshot or an archive (file://, s3://).

    Returns:
        digest
    """
    from backstage.storage import bring

    return bring(source, dataset.path)[:12]


@stage(image="python-torch")
def register(
    model: Input[Model], evaluation: Input[Dataset], name: str, tracking_uri: str = "", artifacts_uri: str = ""
) -> int:
    """Register a trained model as the challenger; its version is what comes back.

    Args:
        model: A model folder: weights.safetensors, config.json, manifest.json.
        evaluation: Its evaluation: metrics.json and pictures.
        name: The registered name, which is the Triton model's.

    Returns:
        version
    """
    from pathlib import Path

    from models.music.files import read_json
    from serving.registry import Registry

    heard = Path(evaluation.path)
    registry = Registry(tracking_uri, artifacts_uri)
    return registry.register(name, model.path, read_json(heard / "metrics.json"), pictures=sorted(heard.glob("*.png")))


@stage(image="python-torch", cached=False)
def gate(
    model: Input[Model],
    evaluation: Input[Dataset],
    name: str,
    rules: list,
    budget_ms: float = 0.0,
    tracking_uri: str = "",
) -> str:
    """Decide whether a model may be served: "passed", or "held back" with the reasons in the log.

    Args:
        model: The model folder, for its latency.
        evaluation: Its evaluation: metrics.json, and champion.json when both were heard on the same data.
        name: The registered name.
        rules: What must not get worse, e.g. [{"metric": "timing_mae_ms", "better": "lower", "tolerance": 0.02}].
        budget_ms: Slowest answer allowed (95th percentile); 0 leaves the latency unjudged.
    """
    from backstage.verdict import examine

    return examine(name, model.path, evaluation.path, rules, budget_ms, tracking_uri)


@stage(image="python-torch", cached=False)
def deploy(name: str, version: int, tracking_uri: str = "", artifacts_uri: str = "", home: str = "") -> int:
    """Put a registered version into service, without anybody noticing.

    Args:
        name: The registered name.
        version: Which of its versions.
        home: The Jamflow folder with the model repository and the running server's address.

    Returns:
        version
    """
    from pathlib import Path

    from serving.deploy import deploy
    from serving.endpoint import Endpoint
    from serving.registry import CHAMPION, Registry

    registry = Registry(tracking_uri, artifacts_uri)
    if registry.alias(name, CHAMPION) == version:
        return version  # a rerun that changed nothing
    told = Path(home, "serving.json")
    server = Endpoint.read(told) if told.is_file() else None
    running = server if server and server.is_running() else None
    return deploy(registry, name, version, Path(home, "repository"), running).version
