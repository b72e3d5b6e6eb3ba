"""`jamflow serve`: serve the champions with Triton, on this machine alone, until Ctrl-C.

jamflow serve                 stay in the foreground, say where the server is, keep it alive
jamflow serve --detach        start it in the background
jamflow serve --stop          stop the one that runs
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

from models.music.errors import BadConfig, Unavailable
from pipelines.flags import Flags
from pipelines.settings import Profile

START_S = 240.0
STOP_S = 30.0


def main(argv: list[str]) -> int:
    """Serve, start a server that serves, or stop it."""
    parser = Flags(prog="jamflow serve", description=__doc__)
    parser.add_argument("--port", type=int, metavar="N", help="the gRPC port [last time's, or a free one]")
    parser.add_argument("--detach", action="store_true", help="serve in the background")
    parser.add_argument("--stop", action="store_true", help="stop the running server")
    values = parser.read(argv)
    profile = Profile.load()
    told = profile.serving
    if values.stop:
        return _stop(told)
    if "://" in profile.repository_path:
        raise BadConfig(
            f"repository is {profile.repository_path}; `jamflow serve` needs a folder. Set JAMFLOW_REPOSITORY."
        )
    if values.detach:
        return _detach(profile, [] if values.port is None else ["--port", str(values.port)])
    return _keep(profile, values.port)


def _keep(profile: Profile, port: int | None) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stdout)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    print("Starting Triton and loading the champions; the first time takes about half a minute.", flush=True)
    from serving.keeper import Keeper

    if not profile.where.registry:
        raise BadConfig("there is no model registry: tracking is off. Set tracking_uri to an MLflow store.")
    folder = profile.home / "triton"
    keeper = Keeper(profile.where, folder, port)

    def ready(endpoint, served: list[str]) -> None:
        print(f"serving   {', '.join(served) or 'nothing yet: `jamflow run train-groove` makes the first model'}")
        print(
            f"endpoint  {endpoint.grpc_url} (gRPC)   http://{endpoint.http_url}   metrics http://{endpoint.metrics_url}/metrics"
        )
        print(f"log       {folder / 'triton.log'}\nCtrl-C stops it.", flush=True)

    keeper.keep(stopped, ready)
    print("Stopped.")
    return 0


def _detach(profile: Profile, flags: list[str]) -> int:
    told, words = profile.serving, profile.home / "serve.log"
    words.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pipelines.cli", "serve", *flags]
    to_log = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    to_log += [
        (os.POSIX_SPAWN_OPEN, 1, str(words), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    keeper = os.posix_spawn(sys.executable, command, os.environ, file_actions=to_log, setsid=True)
    from serving.endpoint import Endpoint

    end = time.monotonic() + START_S
    while time.monotonic() < end:
        running = Endpoint.running(told)
        if running is not None and running.pid == keeper:
            print(f"endpoint  {running.grpc_url} (gRPC)   process {running.pid}   log {words}")
            return 0
        if os.waitpid(keeper, os.WNOHANG) != (0, 0):
            raise Unavailable(_last_line(words).removeprefix("jamflow: "))
        time.sleep(0.1)
    os.kill(keeper, signal.SIGTERM)
    raise Unavailable(f"the server did not start within {START_S:g} s. See {words}.")


def _stop(told: Path) -> int:
    from serving.endpoint import Endpoint

    running = Endpoint.running(told)
    if running is None:
        print("No server runs.")
        return 0
    os.kill(running.pid, signal.SIGTERM)
    end = time.monotonic() + STOP_S
    while running.is_running():
        if time.monotonic() > end:
            raise Unavailable(
                f"process {running.pid} has not stopped within {STOP_S:g} s. End it with `kill -9 {running.pid}`."
            )
        time.sleep(0.05)
    print(f"Stopped the server at {running.grpc_url}.")
    return 0


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else f"the server ended without a word. See {path}."
