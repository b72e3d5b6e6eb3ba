"""`jamflow models`: every family of models, what is here of it and how good it is.

jamflow models             one block a family
jamflow models groove      with every registered version
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from models.music.errors import JamflowError
from models.music.figures import figure
from models.music.files import MANIFEST, read_json
from pipelines.flags import Flags
from pipelines.settings import Profile
from serving.families import FAMILIES, Family, family

SHOWN = 4
"""So many figures of a version that has none of those the gate asks for."""


def main(argv: list[str]) -> int:
    """Print the record of every family beside what the registry and the server say."""
    parser = Flags(prog="jamflow models", description=__doc__)
    parser.add_argument("name", metavar="NAME", nargs="?", help="one family, with every version [all]")
    values = parser.read(argv)
    chosen = [family(values.name)] if values.name else list(FAMILIES.values())
    profile = Profile.load()
    registry = _registry(profile)
    for kept in chosen:
        print(kept.name)
        for line in _lines(kept, registry, profile, every_version=bool(values.name)):
            print(f"  {line}")
    return 0


def _lines(kept: Family, registry, profile: Profile, *, every_version: bool) -> Iterator[str]:
    starter = kept.starter_folder
    yield f"starter     {_size(starter)}, card {starter / 'CARD.md'}" if starter else "starter     none"
    yield f"served      {_served(kept, profile)}"
    if registry is None:
        return
    from serving.registry import CHALLENGER, CHAMPION, PREVIOUS

    standing = {registry.alias(kept.name, alias): alias for alias in (PREVIOUS, CHALLENGER, CHAMPION)}
    versions = registry.versions(kept.name)
    if not versions:
        yield "registered  none yet"
    for version in versions:
        if every_version or version in standing:
            known = registry.metrics(kept.name, version)
            ruled = [rule.metric for rule in kept.rules if rule.metric in known]
            figures = ", ".join(figure(kept.figures, key).told(known[key]) for key in ruled or list(known)[:SHOWN])
            yield f"version {version:<4}{standing.get(version, ''):<12}{figures or 'no figures'}"


def _registry(profile: Profile):
    """The registry, or None where there is none to look into; looking makes no database."""
    where = profile.where
    if not where.registry or not profile.has_registry:
        return None
    from serving.registry import Registry

    return Registry.at(where)


def _served(kept: Family, profile: Profile) -> str:
    from serving.client import JamflowClient
    from serving.endpoint import Endpoint

    endpoint = Endpoint.of(profile.where.server)
    if endpoint is None:
        return "no: no server runs (`jamflow serve`)"
    try:
        with JamflowClient(endpoint.grpc_url, 5.0) as client:
            return f"version {client.prove(kept.contract).model_version} at {endpoint.grpc_url}"
    except JamflowError as error:
        return f"no: {error}"


def _size(folder: Path) -> str:
    held = sum(entry["bytes"] for entry in read_json(folder / MANIFEST).values())
    return f"{held / 1e6:.1f} MB"
