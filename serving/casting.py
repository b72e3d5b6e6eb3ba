"""Bring the champions on stage: one truth between the registry, the model repository and what Triton serves.

    python -m serving.casting '{"registry": "sqlite:////…", "server": "…/serving.json", …}'     # prints the names that play, or what is in the way

The registry decides who is champion. Where a family has none yet, and nobody has trained one, the starter model that comes
with Jamflow becomes its first. It runs as a process that ends: what it needs (MLflow, torch) is no weight on the keeper.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import tempfile
import warnings
from pathlib import Path

from models.music.errors import JamflowError, Unavailable
from models.music.files import MANIFEST, is_whole, read_json, sha256
from serving.client import JamflowClient
from serving.control import Control
from serving.deploy import deploy
from serving.endpoint import Endpoint
from serving.families import FAMILIES, Family
from serving.registration import register
from serving.registry import CHAMPION, Registry
from serving.repository import Repository
from serving.where import Where

log = logging.getLogger(__name__)
CANARY_S = 10.0


def cast(where: Where) -> list[str]:
    """Make a running server play every family's champion; return the names that play, and log who cannot and why."""
    endpoint = Endpoint.of(where.server, where.repository)
    if endpoint is None:
        raise Unavailable(f"{where.server}: no server runs there. Start one with `jamflow serve`.")
    registry, playing = Registry.at(where), []
    for kept in FAMILIES.values():
        try:
            if _plays(registry, kept, Repository(where.repository), endpoint):
                playing.append(kept.name)
        except JamflowError as error:  # the others can play
            log.error("%s is not served: %s", kept.name, error)
    return playing


def _plays(registry: Registry, kept: Family, scores: Repository, endpoint: Endpoint) -> bool:
    champion = registry.alias(kept.name, CHAMPION)
    if champion is not None:
        hand_out(registry, kept, champion, scores)
        with contextlib.closing(Control(endpoint)) as control, JamflowClient(endpoint.grpc_url, CANARY_S) as client:
            control.load(kept.name)
            client.prove(kept.contract)
        return True
    starter = kept.starter_folder
    if starter is None or not is_whole(starter) or _is_taught(registry, kept, starter):
        return False
    version = register(registry, kept.name, starter, _figures(starter), tags={"source": "starter"})
    deploy(registry, kept.name, version, scores.folder, endpoint)
    return True


def hand_out(registry: Registry, kept: Family, version: int, scores: Repository) -> None:
    """Make a repository hold a version whole, fetched from the registry where it is not, and serve exactly that one."""
    if not scores.holds(kept.name, version):
        with tempfile.TemporaryDirectory(prefix="jamflow-restore-") as there:
            scores.add(kept.contract, version, registry.download(kept.name, version, there) / "model")
    scores.serve(kept.contract, [version])


def _is_taught(registry: Registry, kept: Family, starter: Path) -> bool:
    """Whether there are versions beside the starter's own: it never takes the place of a challenger of the user's."""
    own = sha256(starter / MANIFEST)
    return any(registry.model_digest(kept.name, version) != own for version in registry.versions(kept.name))


def _figures(folder: Path) -> dict[str, float]:
    """The figures a starter model was saved with."""
    facts = read_json(folder / "config.json").get("facts", {})
    return facts.get("figures") or {name: value for name, value in facts.items() if isinstance(value, float)}


def main(argv: list[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    try:
        print(json.dumps(cast(Where.told(json.loads(argv[0])))))
    except JamflowError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main(sys.argv[1:]))
