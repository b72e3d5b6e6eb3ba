"""Put a registered model to work without anybody noticing, or say why not.

    put_to_work("groove", 4, where)
    bring_back("groove", where)

All of it happens under the promotion lock. What another deployment left half done is tidied first (serving/tuning.py).
A new version then plays its golden request under a name of its own, beside the champion, so that not one of the listeners'
requests meets an untried model. Then it takes the champion's place in Triton (which goes on serving the old version until
the new one is ready), plays again, and the promotion is written down. Whatever ends it before that, the champion comes back;
GateFailed says what was wrong with a version. Without a running server one is started for the purpose.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from models.music.errors import GateFailed, JamflowError, Refused, RegistryError, ServingError
from serving.asker import whole
from serving.client import JamflowClient
from serving.control import Control
from serving.endpoint import Endpoint
from serving.families import Family, family
from serving.golden import FILE as GOLDEN
from serving.golden import Golden
from serving.registry import CHALLENGER, CHAMPION, Registry
from serving.repository import REHEARSAL, Repository
from serving.scratch import scratch
from serving.tuning import tune
from serving.where import Where

log = logging.getLogger(__name__)

GOLDEN_S = 30.0
DEPLOY, ROLLBACK = "deploy", "rollback"


@dataclass(frozen=True)
class Deployed:
    """What a deployment did."""

    name: str
    version: int
    previous: int | None


def put_to_work(name: str, version: int | None, where: Where) -> Deployed:
    """Deploy a version (the challenger, unless one is named) where a profile says; one that serves already just goes on."""
    registry = Registry.at(where)
    version = version or registry.alias(family(name).name, CHALLENGER)
    if version is None:
        raise RegistryError(f"{name}: there is no challenger. Train one, or name a version: `jamflow deploy {name} 1`.")
    repository, server = _reached(where, name)
    if server is None and registry.alias(name, CHAMPION) == version:  # the next server will see to it
        return Deployed(name, version, version)
    return deploy(registry, name, version, repository, server)


def bring_back(name: str, where: Where) -> Deployed:
    """Put the previous champion to work again."""
    registry = Registry.at(where)
    return deploy(registry, name, registry.previous(name), *_reached(where, name), ROLLBACK)


def _reached(where: Where, name: str) -> tuple[str, Endpoint | None]:
    """The repository and the server to deploy to; what nobody would serve is refused before anything moves."""
    if not where.repository or "://" in where.repository:
        raise Refused(
            f"{name}: the model repository is {where.repository or 'not named'}; deploying needs a folder that Triton reads."
            " Set JAMFLOW_REPOSITORY; until then the version stays challenger."
        )
    if not where.server:
        raise Refused(
            f"{name}: no server is named, so nobody would play the new version. Set JAMFLOW_SERVER=host:port;"
            " until then it stays challenger."
        )
    return where.repository, Endpoint.of(where.server, where.repository)


def deploy(
    registry: Registry,
    name: str,
    version: int,
    repository: str | os.PathLike[str],
    server: Endpoint | None = None,
    how: str = DEPLOY,
) -> Deployed:
    """Rehearse a version, let it take the champion's place, move the aliases."""
    kept, scores = family(name), Repository(repository)
    champion = registry.alias(name, CHAMPION)
    with (
        _server(server, scores) as endpoint,
        contextlib.closing(_Stage(registry, kept, scores, endpoint)) as stage,
        registry.promotion(name, version, champion, how),
        scratch("deploy") as there,
    ):
        if version == champion:
            tune(registry, kept, scores, stage.control)
            return Deployed(name, version, champion)
        stage.tidy()
        fetched = registry.download(name, version, there)
        golden = Golden.read(fetched / GOLDEN)
        if how != ROLLBACK:  # it has served before, and is wanted quickly
            stage.rehearse(fetched / "model", version, golden)
        stage.switch(fetched / "model", version, golden)
    log.info("%s %d serves; %s before", name, version, champion or "none")
    return Deployed(name, version, champion)


class _Stage:
    """One server and one repository during a deployment."""

    def __init__(self, registry: Registry, kept: Family, scores: Repository, endpoint: Endpoint) -> None:
        self._registry, self._kept, self._scores = registry, kept, scores
        self.control = Control(endpoint)
        self._client = JamflowClient(endpoint.grpc_url, GOLDEN_S)

    def close(self) -> None:
        self._client.close()
        self.control.close()

    def tidy(self) -> None:
        """Let the registry's champion play, and clear away what another deployment left."""
        try:
            tune(self._registry, self._kept, self._scores, self.control)
        except JamflowError as error:  # a new version may be the way out
            log.warning("the champion does not play: %s", error)

    def rehearse(self, model: Path, version: int, golden: Golden) -> None:
        """Play the golden request on a version that nobody else can reach by the model's name."""
        name = f"{self._kept.name}{REHEARSAL}{secrets.token_hex(3)}"
        try:
            self._scores.add(self._kept.contract, version, model, name)
            self._scores.serve(self._kept.contract, [version], name)
            self._play(name, version, golden)
        finally:
            with contextlib.suppress(ServingError):
                self.control.unload(name)
            self._scores.remove(name)

    def switch(self, model: Path, version: int, golden: Golden) -> None:
        """Let a rehearsed version take over; if it fails even so, the champion comes back."""
        name, contract = self._kept.name, self._kept.contract
        try:
            self._scores.add(contract, version, model)
            self._scores.serve(contract, [version])
            self._play(name, version, golden)
            if (serving := self._client.prove(contract).model_version) != version:
                raise Refused(f"{name} {serving} answers instead.")
        except BaseException:
            self.tidy()
            raise

    def _play(self, name: str, version: int, golden: Golden) -> None:
        contract = self._kept.contract
        try:
            self.control.load(name)
            reply = whole(self._client, replace(contract, name=name), golden.request, version=version)
            golden.compare(contract, reply.arrays)
        except (ServingError, GateFailed) as error:
            raise GateFailed(f"{contract.name} {version} is not served, the champion stays: {error}") from error


@contextlib.contextmanager
def _server(given: Endpoint | None, scores: Repository) -> Iterator[Endpoint]:
    if given is not None:
        if Path(given.repository).resolve() != scores.folder:
            raise Refused(
                f"the server at {given.grpc_url} serves {given.repository}, not {scores.folder}. Deploy to that one."
            )
        yield given
        return
    from serving.server import TritonServer

    with TritonServer(scores.folder) as server:
        yield server.endpoint
