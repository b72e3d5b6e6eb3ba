"""Put a registered model to work without anybody noticing, or say why not.

    put_to_work("groove", 4, where)
    bring_back("groove", where)

A new version first plays its golden request under a name of its own, beside the champion, so that not one of the listeners'
requests meets an untried model. Then, under the promotion lock, it takes the champion's place in Triton (which goes on
serving the old version until the new one is ready), plays again, and the aliases move. A version that fails is removed
again, the champion stays, and GateFailed says what was wrong. Without a running server one is started for the purpose.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from models.music.errors import GateFailed, JamflowError, Refused, RegistryError, ServingError
from serving.asker import whole
from serving.client import JamflowClient
from serving.contract import ModelContract
from serving.control import Control
from serving.endpoint import Endpoint
from serving.families import family
from serving.golden import FILE as GOLDEN
from serving.golden import Golden
from serving.registry import CHALLENGER, CHAMPION, Registry
from serving.repository import Repository
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
    if registry.alias(name, CHAMPION) == version:
        return Deployed(name, version, version)
    return deploy(registry, name, version, *_reached(where, name))


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
    contract, scores = family(name).contract, Repository(repository)
    champion = registry.alias(name, CHAMPION)
    with tempfile.TemporaryDirectory(prefix="jamflow-deploy-") as there, _server(server, scores) as endpoint:
        fetched = registry.download(name, version, there)
        golden = Golden.read(fetched / GOLDEN)
        stage = _Stage(contract, scores, endpoint, golden)
        with contextlib.closing(stage):
            if how != ROLLBACK:  # it has served before, and is wanted quickly
                stage.rehearse(fetched / "model", version)
            with registry.promotion(name, version, champion, how):
                stage.switch(fetched / "model", version, champion)
    log.info("%s %d serves; %s before", name, version, champion or "none")
    return Deployed(name, version, champion)


class _Stage:
    """One server and one repository during a deployment."""

    def __init__(self, contract: ModelContract, scores: Repository, endpoint: Endpoint, golden: Golden) -> None:
        self._contract, self._scores, self._golden = contract, scores, golden
        self._control = Control(endpoint)
        self._client = JamflowClient(endpoint.grpc_url, GOLDEN_S)

    def close(self) -> None:
        self._client.close()
        self._control.close()

    def rehearse(self, model: Path, version: int) -> None:
        """Play the golden request on a version that nobody else can reach by the model's name."""
        name = f"{self._contract.name}_rehearsal_{secrets.token_hex(3)}"
        try:
            self._scores.add(self._contract, version, model, name)
            self._scores.serve(self._contract, [version], name)
            self._play(name, version)
        finally:
            with contextlib.suppress(ServingError):
                self._control.unload(name)
            self._scores.remove(name)

    def switch(self, model: Path, version: int, champion: int | None) -> None:
        """Let a rehearsed version take over; if it fails even so, bring the champion back."""
        name = self._contract.name
        try:
            self._scores.add(self._contract, version, model)
            self._scores.serve(self._contract, [version])
            self._play(name, version)
            if (serving := self._client.prove(self._contract).model_version) != version:
                raise Refused(f"{name} {serving} answers instead.")
        except JamflowError:
            self._bring_back(version, champion)
            raise
        for old in self._scores.versions(name):
            if old not in (version, champion):
                self._scores.remove(name, old)

    def _bring_back(self, version: int, champion: int | None) -> None:
        name = self._contract.name
        if version == champion:
            return
        if champion is not None and self._scores.holds(name, champion):
            self._scores.serve(self._contract, [champion])
            self._control.load(name)
            self._scores.remove(name, version)
        else:
            with contextlib.suppress(ServingError):
                self._control.unload(name)
            self._scores.remove(name)

    def _play(self, name: str, version: int) -> None:
        try:
            self._control.load(name)
            reply = whole(self._client, replace(self._contract, name=name), self._golden.request, version=version)
            self._golden.compare(self._contract, reply.arrays)
        except (ServingError, GateFailed) as error:
            raise GateFailed(f"{self._contract.name} {version} is not served, the champion stays: {error}") from error


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
