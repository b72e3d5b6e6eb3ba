"""Kill a deployment, or a first server, at random instants: does what comes next always heal it?

    python -m benchmarks.kills --what deploy --times 100 --seed 7       # a deployment against one running server
    python -m benchmarks.kills --what serve --times 100 --seed 7        # the keeper of an empty house

Each time a process does the work until SIGKILL ends it, at an instant drawn evenly from all that the work takes (and a little
more). Then the champions are cast, which is what the next start, the next deployment and a running keeper do; and registry,
repository and server are asked one by one whether there is one truth. Processes are forked from one that has MLflow and
torch imported, so that the instants fall into the work and not into imports; one family, the groove, stands for all.
Exit code 1 when a state was not healed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import NoReturn

import psutil

from benchmarks.truth import left_over, untrue
from models.music.errors import JamflowError

SLACK = 1.1
"""The last instants lie after the work."""


def main(argv: list[str]) -> int:
    """Kill so many times; print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--what", choices=("deploy", "serve"), required=True)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    values = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="kills-") as there:
        folder = Path(there)
        (folder / "passing").mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder / "passing")
        _warm_up()
        print(f"{values.times} kills in {values.what}, seed {values.seed}", flush=True)
        counts, unhealed = {"deploy": _deployments, "serve": _first_servers}[values.what](
            folder, values.times, values.seed
        )
        unhealed += [f"afterwards: {each}" for each in left_over(folder / "passing")]
    print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    print("\n".join(unhealed) or "every state was healed.")
    return bool(unhealed)


def _deployments(folder: Path, times: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Two versions take turns on one server."""
    from serving.casting import cast
    from serving.deploy import put_to_work
    from serving.registry import CHAMPION, Registry

    where, generator, counts, unhealed = _house(folder, seed), random.Random(seed), Counter(), []
    # No gRPC in this process before the last fork: the server and all that talks to it are processes of their own.
    server = _Fork(lambda: _serve_forever(where))
    _until(lambda: Path(where.server).is_file())
    _Fork(lambda: cast(where)).wait()
    versions = _asked(lambda: Registry.at(where).versions("groove"))
    took_s = _timed(lambda: _Fork(lambda: put_to_work("groove", versions[-1], where)).wait())
    print(f"a deployment takes {took_s:.1f} s here", flush=True)
    try:
        for number in range(1, times + 1):
            before = _asked(lambda: Registry.at(where).alias("groove", CHAMPION))
            wanted = next(version for version in versions[::-1] if version != before)
            at_s = generator.uniform(0, took_s * SLACK)
            ended = _Fork(lambda wanted=wanted: put_to_work("groove", wanted, where)).kill_after(at_s)
            _Fork(lambda: cast(where)).wait()
            wrong, after = _asked(lambda: (_judged(where), Registry.at(where).alias("groove", CHAMPION)))
            counts["done before the kill" if ended else "taken back" if after == before else "finished"] += 1
            _note(number, at_s, wrong, unhealed)
    finally:
        server.kill()
    return counts, unhealed


def _first_servers(folder: Path, times: int, seed: int) -> tuple[Counter[str], list[str]]:
    """An empty house every time; every fifth has to make its database too."""
    from serving.casting import cast
    from serving.registry import CHAMPION, Registry
    from serving.store import open_store
    from serving.where import Where, sqlite_at

    _Fork(lambda: open_store(sqlite_at(folder / "empty.db"))).wait()
    generator, counts, unhealed = random.Random(seed), Counter(), []
    takes_s: dict[bool, float] = {}
    for number in range(-1, times + 1):  # the first two are not killed: they tell how long a server takes
        home, bare = folder / f"home{number}", number % 5 == 0
        home.mkdir()
        if not bare:
            shutil.copyfile(folder / "empty.db", home / "mlflow.db")
        where = Where(
            sqlite_at(home / "mlflow.db"),
            (home / "artifacts").as_uri(),
            str(home / "repository"),
            str(home / "serving.json"),
        )
        first = _Fork(lambda where=where: _keep(where))
        if number < 1:
            takes_s[bare] = _timed(lambda where=where: _until(lambda: Path(where.server).is_file()))
            print(f"a first server takes {takes_s[bare]:.1f} s here{' with its database' if bare else ''}", flush=True)
            first.kill()
            continue
        at_s = generator.uniform(0, takes_s[bare] * SLACK)
        time.sleep(at_s)
        served = Path(where.server).is_file()
        first.kill()
        had = _asked(lambda where=where: [Registry.at(where).alias(name, CHAMPION) for name in ("groove",)])
        counts["serving already" if served else "with a champion" if any(had) else "without a champion"] += 1
        server = _Fork(lambda where=where: _serve_forever(where))
        _until(
            lambda where=where, server=server: (
                Path(where.server).is_file() and f'"pid": {server.pid},' in Path(where.server).read_text()
            )
        )
        _Fork(lambda where=where: cast(where)).wait()
        wrong = _asked(lambda where=where: _judged(where))
        wrong += _orphans()
        server.kill()
        _note(number, at_s, wrong, unhealed)
        shutil.rmtree(home)
    return counts, unhealed


def _house(folder: Path, seed: int):
    """A registry with two versions of a tiny groove, of which the first is champion once it has been cast."""
    import torch

    from models.groove.network import TINY, GrooveVAE
    from models.learning.checkpoint import save_model
    from serving.registration import register
    from serving.registry import Registry
    from serving.where import Where, sqlite_at

    where = Where(
        sqlite_at(folder / "mlflow.db"),
        (folder / "artifacts").as_uri(),
        str(folder / "repository"),
        str(folder / "serving.json"),
    )

    def fill() -> None:
        registry = Registry.at(where)
        for number in (1, 2):
            torch.manual_seed(seed + number)
            version = register(
                registry, "groove", save_model(folder / f"model{number}", GrooveVAE(TINY), TINY, "groove"), {}
            )
            if number == 1:
                registry.promote("groove", version)

    _Fork(fill).wait()
    return where


def _keep(where) -> None:
    """A keeper whose casting process was forked beforehand, with everything imported."""
    from serving.casting import cast
    from serving.keeper import Keeper
    from serving.look import Cast
    from serving.where import Where

    asked, tell = os.pipe()
    hear, said = os.pipe()

    def casts() -> None:
        _tie()
        found = cast(Where.told(json.loads(os.read(asked, 1 << 16))))
        os.write(said, json.dumps(asdict(found)).encode())

    _Fork(casts)

    class Forked(Keeper):
        def _cast(self, told_in: Path, stopped: threading.Event) -> Cast:
            os.write(tell, json.dumps(asdict(replace(self.where, server=str(told_in)))).encode())
            return Cast(**json.loads(os.read(hear, 1 << 16)))

    Forked(where, Path(where.server).parent / "triton").keep(threading.Event(), lambda *_: None)


def _serve_forever(where) -> None:
    from serving.server import TritonServer

    with TritonServer(where.repository, Path(where.server).parent / "triton") as server:
        server.endpoint.write(where.server)
        threading.Event().wait()


def _judged(where) -> list[str]:
    from serving.endpoint import Endpoint
    from serving.registry import Registry

    return untrue(Registry.at(where), Path(where.repository), Endpoint.read(where.server), ("groove",)) + _left(where)


def _left(where) -> list[str]:
    """Models of which two were kept by the store, or one that no version names."""
    from serving.registry import Registry

    known = sum(len(Registry.at(where).versions(name)) for name in Registry.at(where).names())
    stored = list(
        Path(where.registry.removeprefix("sqlite:///")).parent.glob(
            "artifacts/*/models/*/artifacts/artifacts/model/weights.safetensors"
        )
    )
    return [] if len(stored) == known else [f"{len(stored)} models are stored for {known} versions"]


_bereft: list[psutil.Process] = []
"""Children of processes that were killed; what comes next has to end them."""


def _orphans() -> list[str]:
    psutil.wait_procs(_bereft, timeout=5)
    alive = [each for each in _bereft if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    return [f"process {each.pid} ({each.name()}) lives on" for each in alive]


class _Fork:
    """A process that does one thing."""

    def __init__(self, work: Callable[[], object]) -> None:
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _do(work)

    def wait(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        if status:
            raise SystemExit(f"a process ended with {status}")
        return status

    def kill_after(self, seconds: float) -> bool:
        """Kill it; whether it was done by then."""
        time.sleep(seconds)
        return self.kill()

    def kill(self) -> bool:
        children = psutil.Process(self.pid).children(recursive=True)
        done, _ = os.waitpid(self.pid, os.WNOHANG)
        if not done:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        _bereft.extend(children)
        return bool(done)


def _do(work: Callable[[], object]) -> NoReturn:
    try:
        work()
        os._exit(0)
    except JamflowError as error:
        print(f"  {error}", file=sys.stderr, flush=True)
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def _asked(question: Callable[[], object]):
    """What another process answers: this one never talks to MLflow or Triton, and can go on forking."""
    hear, said = os.pipe()
    child = _Fork(lambda: os.write(said, json.dumps(question()).encode()))
    os.close(said)
    with os.fdopen(hear) as answer:
        told = answer.read()
    child.wait()
    return json.loads(told)


def _tie() -> None:
    """End with the parent."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _warm_up() -> None:
    for module in ("mlflow.pyfunc", "tritonclient.grpc", "serving.backends.groove.model"):
        importlib.import_module(module)
    import torch

    import serving.casting

    torch.set_num_threads(1)
    serving.casting.FAMILIES = {"groove": serving.casting.FAMILIES["groove"]}


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _until(condition: Callable[[], bool], seconds: float = 180.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"not within {seconds:g} s")
        time.sleep(0.02)


def _note(number: int, at_s: float, wrong: list[str], unhealed: list[str]) -> None:
    if wrong:
        unhealed += [f"kill {number} at {at_s:.2f} s: {each}" for each in wrong]
        print(unhealed[-1], flush=True)
    if number % 10 == 0:
        print(f"  {number} kills, {len(unhealed)} not healed", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
