"""`jamflow rollback NAME`: serve the previous champion of a model again."""

from __future__ import annotations

from pipelines.flags import Flags
from pipelines.settings import Profile


def main(argv: list[str]) -> int:
    """Bring the previous champion back, on the running server or on one started for the purpose."""
    parser = Flags(prog="jamflow rollback", description=__doc__)
    parser.add_argument("name", metavar="NAME", help="the model, e.g. groove")
    values = parser.read(argv)
    profile = Profile.load()
    from serving.deploy import rollback
    from serving.endpoint import Endpoint
    from serving.registry import Registry

    registry = Registry(profile.mlflow_uri or "", profile.artifacts_uri)
    done = rollback(registry, values.name, profile.repository_path, Endpoint.running(profile.home / "serving.json"))
    print(f"{done.name} {done.version} is champion again; before: {done.previous}.")
    return 0
