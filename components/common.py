"""Stages that every pipeline shares: fetch the data at its start; find the champion, register, gate and deploy at its end.

An evaluation is a folder: metrics.json (name to number), champion.json beside it when the champion was heard on the same
data, and any pictures (PNG). Those that look at the world or change it are never answered from the cache.
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


@stage(image="python-ops", cached=False)
def find_champion(name: str, where: dict = {}) -> int:
    """Look up which version is the champion now; 0 where there is none yet.

    Args:
        name: The registered name.

    Returns:
        champion
    """
    from serving.registry import CHAMPION, Registry
    from serving.where import Where

    told = Where.told(where)
    return Registry.at(told).alias(name, CHAMPION) or 0 if told.registry else 0


@stage(image="python-torch", cached=False)
def register(model: Input[Model], evaluation: Input[Dataset], name: str, where: dict = {}) -> int:
    """Register a trained model as the challenger; its version is what comes back, the same for the same model.

    Args:
        model: A model folder: weights.safetensors, config.json, manifest.json.
        evaluation: Its evaluation: metrics.json and pictures.
        name: The registered name, which is the Triton model's.

    Returns:
        version
    """
    from pathlib import Path

    from models.music.files import read_json
    from serving.registration import register
    from serving.registry import Registry
    from serving.where import Where

    heard = Path(evaluation.path)
    figures, pictures = read_json(heard / "metrics.json"), sorted(heard.glob("*.png"))
    return register(Registry.at(Where.told(where)), name, model.path, figures, pictures=pictures)


@stage(image="python-torch", cached=False)
def gate(model: Input[Model], evaluation: Input[Dataset], name: str, budget_ms: float = 0.0, where: dict = {}) -> str:
    """Decide whether a model may be served: "passed", or "held back" with the reasons in the log.

    Args:
        model: The model folder, for its latency.
        evaluation: Its evaluation: metrics.json, and champion.json when both were heard on the same data.
        name: The registered name.
        budget_ms: Slowest answer that the gate lets through, 95th percentile; 0 takes the family's own.
    """
    from backstage.verdict import examine
    from serving.where import Where

    return examine(name, model.path, evaluation.path, budget_ms, Where.told(where))


@stage(image="python-torch", cached=False)
def deploy(name: str, version: int, where: dict = {}) -> int:
    """Put a registered version into service, without anybody noticing.

    Args:
        name: The registered name.
        version: Which of its versions.

    Returns:
        version
    """
    from serving.deploy import put_to_work
    from serving.where import Where

    return put_to_work(name, version, Where.told(where)).version
