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

from models.music.errors import BadConfig, Refused, Unavailable
from pipelines.flags import Flags
from pipelines.settings import Profile

START_S = 240.0
STOP_S = 30.0


def main(argv: list[str]) -> int:
    """Serve, start a server that serves, or stop it."""
    parser = Flags(prog="jamflow serve", description=__doc__)
    parser.add_argument("--port", type=int, metavar="N", help="the gRPC port [last time's, or a free one]")
    parser.add_argument("--detach", action="store_true", help="serve in the background")
    parser.add_argument("--log", type=Path, metavar="FILE", help="write what it says to a file, from when it serves on")
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
    return _keep(profile, values.port, values.log)


def _keep(profile: Profile, port: int | None, log: Path | None) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stdout)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    from serving.keeper import Keeper

    if not profile.where.registry:
        raise BadConfig("there is no model registry: tracking is off. Set tracking_uri to an MLflow store.")
    folder = profile.home / "triton"
    keeper = Keeper(profile.where, folder, port)

    def claimed() -> None:
        """From here on nobody else serves, so the log is ours to begin anew."""
        if log is not None:
            _write_to(log)
        print("Starting Triton and loading the champions; the first time takes about half a minute.", flush=True)

    def ready(endpoint, cast) -> None:
        played = ", ".join(cast.playing)
        print(f"serving   {played or 'nothing yet: `jamflow run train-groove` makes the first model'}")
        for name, why in cast.silent.items():
            print(f"not       {name}: {why}")
        print(
            f"endpoint  {endpoint.grpc_url} (gRPC)   http://{endpoint.http_url}   metrics http://{endpoint.metrics_url}/metrics"
        )
        print(f"log       {folder / 'triton.log'}\nCtrl-C stops it.", flush=True)

    keeper.keep(stopped, ready, claimed)
    print("Stopped.")
    return 0


def _write_to(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    opened = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    os.dup2(opened, 1)
    os.dup2(opened, 2)
    os.close(opened)


def _detach(profile: Profile, flags: list[str]) -> int:
    """Start a server; the log of one that runs already is not touched."""
    told, words = profile.serving, profile.home / "serve.log"
    command = [sys.executable, "-m", "pipelines.cli", "serve", "--log", str(words), *flags]
    heard, said = os.pipe()
    to_pipe = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    to_pipe += [(os.POSIX_SPAWN_DUP2, said, 1), (os.POSIX_SPAWN_DUP2, said, 2)]
    keeper = os.posix_spawn(sys.executable, command, os.environ, file_actions=to_pipe, setsid=True)
    os.close(said)
    from serving.endpoint import Endpoint

    with open(heard, encoding="utf-8", errors="replace") as before_the_log:
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            running = Endpoint.running(told)
            if running is not None and running.pid == keeper:
                print(f"endpoint  {running.grpc_url} (gRPC)   process {running.pid}   log {words}")
                for line in _silent(words):
                    print(line)
                return 0
            if os.waitpid(keeper, os.WNOHANG) != (0, 0):
                raise Unavailable(_last_line(before_the_log.read() or _read(words), words))
            time.sleep(0.1)
    os.kill(keeper, signal.SIGTERM)
    raise Unavailable(f"the server did not start within {START_S:g} s. See {words}.")


def _stop(told: Path) -> int:
    from serving.endpoint import Endpoint, lives
    from serving.keeper import claim_beside
    from serving.locks import holder

    running = Endpoint.running(told)
    keeper = running.pid if running else holder(claim_beside(told))
    if not keeper:
        print("No server runs.")
        return 0
    os.kill(keeper, signal.SIGTERM)
    end = time.monotonic() + STOP_S
    while lives(keeper):
        if time.monotonic() > end:
            raise Refused(f"process {keeper} has not stopped within {STOP_S:g} s. End it with `kill -9 {keeper}`.")
        time.sleep(0.05)
    print(
        f"Stopped the server at {running.grpc_url}." if running else f"Stopped the server that was starting ({keeper})."
    )
    return 0


def _silent(words: Path) -> list[str]:
    """What a server that has just started said of models that it could not serve."""
    return [line for line in _read(words).splitlines() if line.startswith("not ")]


def _read(words: Path) -> str:
    try:
        return words.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _last_line(said: str, words: Path) -> str:
    lines = said.strip().splitlines()
    return lines[-1].removeprefix("jamflow: ") if lines else f"the server ended without a word. See {words}."
