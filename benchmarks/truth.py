"""Is there one truth between the registry, the repository and the server, and is anything left lying about?

    untrue(registry, repository, endpoint, ["groove"])     # a sentence for each family that is not as it should be
    unnamed(registry, artifacts)                           # models that were stored and no version names, or the other way round
    left_over(folder)                                      # what dead processes have left in a temporary folder

It asks each of the three for itself, and not the code that brings them together.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from models.music.errors import JamflowError
from models.music.files import MANIFEST, is_whole, sha256
from serving.client import JamflowClient
from serving.control import Control
from serving.endpoint import Endpoint
from serving.families import FAMILIES
from serving.registry import CHAMPION, CROWNING, MODEL, PREVIOUS, Registry
from serving.repository import HALF, REHEARSAL

BIG = 1_000_000


def untrue(registry: Registry, repository: Path, endpoint: Endpoint, families: Iterable[str]) -> list[str]:
    """Say what is not true of each family: one champion, whole in the repository, playing, and nothing beside it."""
    with contextlib.closing(Control(endpoint)) as control, JamflowClient(endpoint.grpc_url, 20.0) as client:
        try:
            playing = control.served()
        except JamflowError as error:
            return [str(error)]
        found = [f"{name} is still loaded" for name in playing if REHEARSAL in name]
        for name in families:
            found += _untrue(registry, repository / name, name, playing.get(name))
            try:
                client.prove(FAMILIES[name].contract)
            except JamflowError as error:
                found.append(f"{name}: {error}")
    found += [f"{each} is still there" for each in repository.glob(f"*{REHEARSAL}*")]
    return found + [f"{each} is still there" for each in repository.rglob(".*") if HALF.fullmatch(each.name)]


def _untrue(registry: Registry, folder: Path, name: str, plays: int | None) -> list[str]:
    champion, previous = registry.alias(name, CHAMPION), registry.alias(name, PREVIOUS)
    if champion is None:
        return [f"{name} has no champion"]
    found = [] if plays == champion else [f"{name} {plays} plays, the champion is {champion}"]
    if not is_whole(folder / str(champion)):
        found.append(f"{name} {champion} is not whole in the repository")
    elif (
        sha256(folder / str(champion) / "model" / MANIFEST)
        != registry.client.get_model_version(name, str(champion)).tags[MODEL]
    ):
        found.append(f"{name} {champion} in the repository is not the registry's")
    if f"versions: [{champion}]" not in (folder / "config.pbtxt").read_text():
        found.append(f"{name}'s configuration names another version than {champion}")
    if CROWNING in registry.client.get_registered_model(name).tags:
        found.append(f"{name}'s crowning was never finished")
    more = {int(each.name) for each in folder.iterdir() if each.name.isdigit()} - {champion, previous}
    return found + [f"{name} {version} is still in the repository" for version in sorted(more)]


def unnamed(registry: Registry, artifacts: Path) -> list[str]:
    """Compare the models that a store of files keeps with the versions that the registry knows."""
    stored = len(list(artifacts.glob("*/models/*/artifacts/artifacts/model/weights.safetensors")))
    known = sum(len(registry.versions(name)) for name in registry.names())
    return [] if stored == known else [f"{stored} models are stored for {known} versions"]


def left_over(*folders: Path) -> list[str]:
    """Name what is bigger than a megabyte below folders that hold what is passing through."""
    sizes = {each: _bytes(each) for folder in folders for each in folder.iterdir()}
    return [f"{each}: {size / 1e6:.1f} MB" for each, size in sizes.items() if size > BIG]


def _bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files)
