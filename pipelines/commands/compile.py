"""`jamflow compile NAME`: write a pipeline as KFP YAML, checked against KFP's own messages without a cluster."""

from __future__ import annotations

from pipelines import catalogue
from pipelines.flags import Flags


def main(argv: list[str]) -> int:
    """Write one pipeline."""
    parser = Flags(prog="jamflow compile", description=__doc__)
    parser.add_argument("name", help="a pipeline, or a stage")
    parser.add_argument("--out", metavar="FILE", help="where to [NAME.yaml]")
    values = parser.read(argv)

    from pipelines.intermediate import compiled, write
    from pipelines.settings import Profile

    profile = Profile.load()
    name = catalogue.find(values.name).name
    documents = compiled(catalogue.pipeline(name, profile.images), profile)
    path = write(values.out or f"{name}.yaml", documents)
    executors = documents[0]["deploymentSpec"]["executors"].values()
    images = sorted({executor["container"]["image"] for executor in executors if "container" in executor})
    print(f"wrote    {path}\nimages   " + "\n         ".join(images))
    return 0
