"""The server's own door: load, unload, look. Needs the admin key; musicians never come here.

control = Control(endpoint)
control.load("groove")
control.served()                    # {"groove": 3, "roles": 1}
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from models.music.errors import Refused, Unavailable
from serving.calls import spoken_errors
from serving.contract import check_name
from serving.endpoint import Endpoint

LOAD_S = 120.0
"""A model that imports torch on a busy machine takes its time."""


class Control:
    """Model control of one server, after making sure that it is that server."""

    def __init__(self, endpoint: Endpoint) -> None:
        import tritonclient.grpc as grpc

        self._endpoint = endpoint
        self._client = grpc.InferenceServerClient(endpoint.grpc_url)
        self._headers = {"triton-grpc-protocol-admin-key": endpoint.admin_key}

    @property
    def url(self) -> str:
        return self._endpoint.grpc_url

    def close(self) -> None:
        self._client.close()

    def verify(self, deadline_s: float = 5.0) -> None:
        """Refuse to talk to a stranger who happens to listen on the port we remember."""
        with spoken_errors(self._endpoint.grpc_url, deadline_s):
            told: Any = self._client.get_server_metadata(client_timeout=deadline_s)
        if self._endpoint.server_id and told.name != self._endpoint.server_id:
            raise Unavailable(
                f"{self._endpoint.grpc_url} is another server ({told.name}), not {self._endpoint.server_id}. Start ours with `jamflow serve`."
            )

    def load(self, name: str, deadline_s: float = LOAD_S) -> None:
        """Load or reload a model; when its newest version is broken, what was serving goes on serving."""
        self.verify()
        with spoken_errors(self._endpoint.grpc_url, deadline_s):
            self._client.load_model(check_name(name), headers=self._headers, client_timeout=deadline_s)

    def unload(self, name: str, deadline_s: float = LOAD_S) -> None:
        """Unload a model and wait until it is no longer offered (one whose process died stays "UNLOADING" for ever)."""
        self.verify()
        end = time.monotonic() + deadline_s
        with spoken_errors(self._endpoint.grpc_url, deadline_s):
            self._client.unload_model(check_name(name), headers=self._headers, client_timeout=deadline_s)
        while self.ready(name):
            if time.monotonic() > end:
                raise Refused(
                    f"{name} did not unload within {deadline_s:g} s. Restart the server with `jamflow serve`."
                )
            time.sleep(0.02)

    def settle(self, concerns: Callable[[str], bool], deadline_s: float = LOAD_S) -> None:
        """Wait until none of these models is being loaded: whoever asked for it may have died, and it comes all the same."""
        end = time.monotonic() + deadline_s
        while loading := [
            name for name, states in self.index().items() if "LOADING" in states.values() and concerns(name)
        ]:
            if time.monotonic() > end:
                raise Refused(
                    f"{loading[0]} has been loading for {deadline_s:g} s. Restart the server with `jamflow serve`."
                )
            time.sleep(0.1)

    def versions(self, name: str) -> dict[int, str]:
        """State by version of one model, such as {3: "READY"}."""
        return self.index().get(name, {})

    def ready(self, name: str) -> set[int]:
        """The versions of one model that say they can be asked."""
        return _ready(self.versions(name))

    def served(self, deadline_s: float = 10.0) -> dict[str, int]:
        """The version that plays of every model that does: the newest, where an older one is still on its way out."""
        ready = {name: _ready(states) for name, states in self.index(deadline_s).items()}
        return {name: max(versions) for name, versions in ready.items() if versions}

    def index(self, deadline_s: float = 10.0) -> dict[str, dict[int, str]]:
        """State by version of every model that the server has heard of."""
        with spoken_errors(self._endpoint.grpc_url, deadline_s):
            told: Any = self._client.get_model_repository_index(headers=self._headers, client_timeout=deadline_s)
        states: dict[str, dict[int, str]] = {}
        for model in told.models:
            if model.version:
                states.setdefault(model.name, {})[int(model.version)] = model.state
        return states


def _ready(states: dict[int, str]) -> set[int]:
    return {version for version, state in states.items() if state == "READY"}
