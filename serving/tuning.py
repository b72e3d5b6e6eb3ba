"""Tune a house: the registry, the model repository and what Triton serves come to one truth about a family.

    with registry.alone("groove"):
        tune(registry, family("groove"), repository, control)

The registry is right. Its champion is the last promotion that was written down, and one is written down only after the
version has played on stage: a deployment that dies before is taken back, one that dies after is finished. Whoever tunes
holds the family's lock, as whoever deploys does, so that anything half done was left by a process that is gone. There is
one comparison and no case for any fault: what is not as it should be is made so.
"""

from __future__ import annotations

import contextlib
import logging

from models.music.errors import JamflowError, ServingError
from serving.client import JamflowClient
from serving.control import Control
from serving.families import Family
from serving.registry import CHAMPION, PREVIOUS, Registry
from serving.repository import REHEARSAL, Repository
from serving.scratch import scratch

log = logging.getLogger(__name__)
CANARY_S = 10.0


def tune(registry: Registry, kept: Family, scores: Repository, control: Control) -> int | None:
    """Let a server play a family's champion and nothing else of it; return its version, or None where there is none."""
    name = kept.name
    champion, previous = (registry.alias(name, alias) for alias in (CHAMPION, PREVIOUS))
    control.settle(lambda loading: loading == name or loading.startswith(f"{name}{REHEARSAL}"))
    _clear_rehearsals(name, scores, control)
    scores.sweep(name, keep={version for version in (champion, previous) if version})
    if champion is None:
        if control.served().get(name):
            control.unload(name)
        scores.remove(name)
        return None
    try:
        changed = hand_out(registry, kept, champion, scores)
        _bring_on(kept, champion, control, changed=changed)
    except JamflowError:
        if control.served().get(name, champion) != champion:
            control.unload(name)  # rather nobody than one whom nobody crowned
        raise
    return champion


def hand_out(registry: Registry, kept: Family, version: int, scores: Repository) -> bool:
    """Make a repository hold a version and name it, fetched unless it is whole and the registry's; return whether it did not."""
    missing = not scores.holds(kept.name, version, registry.model_digest(kept.name, version))
    if missing:
        log.info("%s %d is not whole in the repository; it is fetched from the registry", kept.name, version)
        with scratch("restore") as there:
            scores.add(kept.contract, version, registry.download(kept.name, version, there) / "model")
    return scores.serve(kept.contract, [version]) or missing


def _bring_on(kept: Family, champion: int, control: Control, *, changed: bool) -> None:
    """Load a champion unless it plays; one that says it plays and does not answer is unloaded first."""
    name = kept.name
    with JamflowClient(control.url, CANARY_S) as client:
        if not changed and control.served().get(name) == champion:
            with contextlib.suppress(ServingError):
                client.prove(kept.contract)
                return
            control.unload(name)
        control.load(name)
        client.prove(kept.contract)


def _clear_rehearsals(name: str, scores: Repository, control: Control) -> None:
    for loaded in control.index():
        if loaded.startswith(f"{name}{REHEARSAL}") and control.ready(loaded):
            control.unload(loaded)
    for rehearsal in scores.rehearsals(name):
        scores.remove(rehearsal)
