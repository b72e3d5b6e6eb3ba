"""Where a running server is and how to be let in: `serving.json` in the user's Jamflow folder.

endpoint = Endpoint.read(home / "serving.json")      # or Endpoint.of(where.server), which may be a cluster's host:port
JamflowClient(endpoint.grpc_url)
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from models.music.errors import Unavailable
from models.music.files import whole_file

ADMIN_KEY = "JAMFLOW_ADMIN_KEY"
"""Where a pod finds the key of a server that has no serving.json."""


@dataclass(frozen=True)
class Endpoint:
    """A server's addresses, its identity and the key to its model control."""

    grpc_url: str
    http_url: str
    metrics_url: str
    server_id: str
    """What the server calls itself; a stranger on the same port has another. A server known by address alone has none."""
    admin_key: str = field(repr=False)
    pid: int
    """The process that keeps the server: signal this one to stop it."""
    repository: str

    @classmethod
    def of(cls, server: str, repository: str = "") -> Endpoint | None:
        """The server that runs at `where.server`: a laptop's serving.json, or host:port; None where none does."""
        if not server or server.endswith(".json"):
            return cls.running(server) if server else None
        return cls(server, "", "", "", os.environ.get(ADMIN_KEY, ""), os.getpid(), repository)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write it for this user's eyes only: whoever has the key can run code in the server."""
        with whole_file(path) as part:
            part.touch(mode=0o600)
            part.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Endpoint:
        try:
            return cls(**json.loads(Path(path).read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise Unavailable(f"{path}: no server has been started. Start one with `jamflow serve`.") from error
        except (OSError, ValueError, TypeError) as error:
            raise Unavailable(
                f"{path}: not readable ({error}). Start the server again with `jamflow serve`."
            ) from error

    @classmethod
    def running(cls, path: str | os.PathLike[str]) -> Endpoint | None:
        """The server that a file tells of, if its keeper lives."""
        try:
            told = cls.read(path)
        except Unavailable:
            return None
        return told if told.is_running() else None

    def is_running(self) -> bool:
        """Whether the process that wrote this still lives."""
        return lives(self.pid)


def lives(pid: int) -> bool:
    """Whether a process lives."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[-1].split()[0]
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's process, or a system without /proc
        return True
    return state != "Z"  # dead, and its parent has not noticed
