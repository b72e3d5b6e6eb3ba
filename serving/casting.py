"""Bring the champions on stage: every family's champion plays, or is named with what is in its way.

    python -m serving.casting '{"registry": "sqlite:////…", "server": "…/serving.json", …}'     # prints a Cast as JSON

The registry decides who is champion (serving/tuning.py makes repository and server follow). Where a family has none yet, and
nobody has trained one, the starter model that comes with Jamflow becomes its first. It runs when a server starts, and again
when its keeper sees that something is not as it was left; as a process that ends, because what it needs (MLflow, torch)
is no weight on the keeper.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import warnings
from dataclasses import asdict
from pathlib import Path

from models.music.errors import JamflowError, Unavailable
from models.music.files import MANIFEST, is_whole, read_json, sha256
from serving import scratch
from serving.control import Control
from serving.deploy import deploy
from serving.endpoint import Endpoint
from serving.families import FAMILIES, Family
from serving.look import Cast
from serving.registration import STARTER, clear_away, register
from serving.registry import Registry
from serving.repository import Repository
from serving.tuning import tune
from serving.where import Where

log = logging.getLogger(__name__)


def cast(where: Where) -> Cast:
    """Make a running server play every family's champion; what hinders one hinders no other."""
    endpoint = Endpoint.of(where.server, where.repository)
    if endpoint is None:
        raise Unavailable(f"{where.server}: no server runs there. Start one with `jamflow serve`.")
    registry, scores, found = Registry.at(where), Repository(where.repository), Cast()
    scratch.sweep()
    with contextlib.closing(Control(endpoint)) as control:
        for kept in FAMILIES.values():
            try:
                version = _champion(registry, kept, scores, control) or _first(registry, kept, scores, endpoint)
                if version is not None:
                    found.playing[kept.name] = version
            except JamflowError as error:
                log.error("%s is not served: %s", kept.name, error)
                found.silent[kept.name] = str(error)
    return found


def _champion(registry: Registry, kept: Family, scores: Repository, control: Control) -> int | None:
    clear_away(registry, kept.name)
    with registry.alone(kept.name):
        return tune(registry, kept, scores, control)


def _first(registry: Registry, kept: Family, scores: Repository, endpoint: Endpoint) -> int | None:
    starter = first_champion(registry, kept)
    if starter is None:
        return None
    version = register(registry, kept.name, starter, _figures(starter), tags={"source": STARTER})
    return deploy(registry, kept.name, version, scores.folder, endpoint).version


def first_champion(registry: Registry, kept: Family) -> Path | None:
    """The starter's folder, unless there are versions of the user's: it never takes the place of a challenger of theirs."""
    starter = kept.starter_folder
    if starter is None or not is_whole(starter):
        return None
    own = sha256(starter / MANIFEST)
    taught = [
        version
        for version in registry.versions(kept.name)
        if registry.model_digest(kept.name, version) != own and registry.source(kept.name, version) != STARTER
    ]
    return None if taught else starter


def _figures(folder: Path) -> dict[str, float]:
    """The figures a starter model was saved with."""
    facts = read_json(folder / "config.json").get("facts", {})
    return facts.get("figures") or {name: value for name, value in facts.items() if isinstance(value, float)}


def main(argv: list[str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    try:
        print(json.dumps(asdict(cast(Where.told(json.loads(argv[0]))))))
    except JamflowError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main(sys.argv[1:]))
