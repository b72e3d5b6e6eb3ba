"""Serve for a while under everything that goes wrong, and count.  Run: make soak

    python -m benchmarks.soak --minutes 30 --seed 7

Listeners play without pause while versions are deployed and rolled back, every kind of process is killed or stopped at random
instants, files are damaged, the disk takes no more and the database is locked. After each trouble there must be one truth
between registry, repository and server within a minute; at the end no process and nothing big may be left. A listener may
lose only what was in flight during a trouble, and hears a typed error even then. The same seed brings the same troubles,
though not at the same instants of what happens meanwhile. Exit code 1 when anything of that was not so.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil

from benchmarks.truth import left_over, unnamed, untrue
from models.music.errors import JamflowError, Unavailable
from serving.client import JamflowClient
from serving.contracts.groove import groove
from serving.contracts.roles import ROLES
from serving.endpoint import Endpoint
from serving.families import FAMILIES
from serving.registry import Registry
from serving.where import Where, database_of

ROOT = Path(__file__).resolve().parents[1]
BEAT = np.array([(36, 100, 0, 240), (38, 110, 960, 240)], np.int32)
STARTERS = [name for name, each in FAMILIES.items() if each.starter_folder]
"""What a first serve casts."""
LISTENERS, VERSIONS = 3, 3
HEAL_S, STAYS_S, START_S = 90.0, 5.0, 180.0
SMALL_FILES = 100
"""Kilobytes: a disk that takes no more."""


def main(argv: list[str]) -> int:
    """Soak; print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=7)
    values = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    print(f"soaking for {values.minutes:g} minutes, seed {values.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as there:
        house = House(Path(there))
        try:
            house.open(values.seed)
            with house.listened_to() as listeners:
                Troubles(house, random.Random(values.seed)).make(until=time.monotonic() + values.minutes * 60)
        finally:
            house.close()
        faults = house.faults + house.left()
    answers = sum((listener.answers for listener in listeners), Counter())
    print(", ".join(f"{count} {what}" for what, count in sorted(house.counts.items())))
    print(", ".join(f"{count} {what}" for what, count in sorted(answers.items())))
    print(
        f"healed within {max(house.healed_s, default=0):.0f} s at the slowest, {np.median(house.healed_s or [0]):.0f} s in the middle"
    )
    print("\n".join(faults) or "one truth after every trouble, nothing lost but in flight, nothing left.")
    return bool(faults)


class House:
    """A home with a keeper that is started again whenever it was killed."""

    def __init__(self, folder: Path) -> None:
        self.home, self.passing = folder / "home", folder / "passing"
        self.passing.mkdir()
        self.environment = {
            **os.environ,
            "JAMFLOW_HOME": str(self.home),
            "TMPDIR": str(self.passing),
            "PYTHONPATH": str(ROOT),
        }
        os.environ.update(JAMFLOW_HOME=str(self.home), TMPDIR=str(self.passing))
        tempfile.tempdir = str(self.passing)
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.began = time.monotonic()
        self.healed_s: list[float] = []
        self.troubles: list[tuple[float, float]] = []
        """When listeners may lose what is in flight."""
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def where(self) -> Where:
        from pipelines.settings import Profile

        return Profile.load().where

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint.read(self.where.server)

    @property
    def registry(self) -> Registry:
        return Registry.at(self.where)

    def open(self, seed: int) -> None:
        """Serve the starters, and have versions to deploy."""
        import torch

        from models.groove.network import TINY, GrooveVAE
        from models.learning.checkpoint import save_model
        from serving.registration import register

        self.serve()
        for number in range(VERSIONS):
            torch.manual_seed(seed + number)
            register(
                self.registry, "groove", save_model(self.home / f"model{number}", GrooveVAE(TINY), TINY, "groove"), {}
            )

    def serve(self) -> None:
        """Start the keeper and wait until it serves."""
        self._keeper = self.run("serve", "--log", str(self.home / "serve.log"))
        end = time.monotonic() + START_S
        while (running := Endpoint.running(self.where.server)) is None or running.pid != self._keeper.pid:
            if self._keeper.poll() is not None or time.monotonic() > end:
                raise Unavailable(f"the keeper did not serve: {(self.home / 'serve.log').read_text()[-2000:]}")
            time.sleep(0.1)

    def run(self, *words: str, before: str = "") -> subprocess.Popen[bytes]:
        """Start a `jamflow` command."""
        command = ["bash", "-c", f'{before} exec "$0" -m pipelines.cli "$@"', sys.executable, *words]
        with open(self.passing / "said.txt", "ab") as said:
            return subprocess.Popen(command, stdout=said, stderr=said, env=self.environment, cwd=ROOT)

    @property
    def keeper(self) -> psutil.Process:
        assert self._keeper is not None, "it was started"
        return psutil.Process(self._keeper.pid)

    def end_keeper(self) -> None:
        assert self._keeper is not None, "it was started"
        self._keeper.kill()
        self._keeper.wait()

    @contextlib.contextmanager
    def listened_to(self) -> Iterator[list[Listener]]:
        """Let listeners play for as long as the block lasts."""
        listeners = [Listener(self) for _ in range(LISTENERS)]
        for listener in listeners:
            listener.start()
        try:
            yield listeners
        finally:
            for listener in listeners:
                listener.over.set()
            for listener in listeners:
                listener.join()

    def heal(self, what: str) -> None:
        """Wait until there is one truth that stays; what does not come is a fault.

        A backend process that was killed is missed only when it is its turn to answer, so one true look proves little.
        """
        began, true_since, wrong = time.monotonic(), None, [""]
        while (now := time.monotonic()) - began < HEAL_S and (true_since is None or now - true_since < STAYS_S):
            try:
                wrong = untrue(self.registry, Path(self.where.repository), self.endpoint, STARTERS)
            except (JamflowError, OSError) as error:
                wrong = [str(error)]
            true_since = None if wrong else true_since or time.monotonic()
            time.sleep(0.5)
        self.healed_s.append((true_since or time.monotonic()) - began)
        self.faults += [f"{self.minute()} after {what}: {each}" for each in wrong]

    def minute(self, at: float | None = None) -> str:
        return f"{((at or time.monotonic()) - self.began) / 60:5.1f} min"

    def close(self) -> None:
        """Stop, as a user does."""
        if self._keeper is not None and self._keeper.poll() is None:
            self._keeper.send_signal(signal.SIGTERM)
            self._keeper.wait(60)

    def left(self) -> list[str]:
        """Processes of this house that live on, and what is big and was only passing through."""
        alive = [p.pid for p in psutil.process_iter(["cmdline"]) if str(self.home) in " ".join(p.info["cmdline"] or [])]
        passing = [f"process {pid} lives on" for pid in alive] + left_over(self.passing)
        return passing + unnamed(self.registry, self.home / "artifacts")


class Listener(threading.Thread):
    """Asks both models in turn, and counts what it hears."""

    def __init__(self, house: House) -> None:
        super().__init__()
        self.house, self.over, self.answers = house, threading.Event(), Counter()

    def run(self) -> None:
        lost: list[tuple[float, float, str]] = []
        while not self.over.is_set():
            with contextlib.suppress(JamflowError), JamflowClient(self.house.endpoint.grpc_url, 10.0) as client:
                while not self.over.wait(0.02):
                    began = time.monotonic()
                    try:
                        groove(client, BEAT, bars=1)
                        client.prove(ROLES)
                        self.answers["answers"] += 2
                    except JamflowError as error:
                        self.answers[f"lost ({type(error).__name__})"] += 1
                        lost.append((began, time.monotonic(), str(error)))
                        break
                    except Exception as error:
                        self.house.faults.append(
                            f"{self.house.minute()} a listener heard {error!r}, which is no error of ours"
                        )
            self.over.wait(0.2)
        for began, ended, error in lost:
            if not any(began <= last and ended >= first for first, last in self.house.troubles):
                self.house.faults.append(f"{self.house.minute(ended)} lost without any trouble: {error}")


class Troubles:
    """Everything that goes wrong, one after the other."""

    def __init__(self, house: House, generator: random.Random) -> None:
        self._house, self._generator = house, generator
        loud = [self._kill_keeper, self._kill_triton, self._kill_stub, self._stop_triton]
        quiet = [
            self._deploy,
            self._rollback,
            self._kill_deploy,
            self._kill_casting,
            self._damage,
            self._full_disk,
            self._locked,
        ]
        self._kinds: list[tuple[Callable[[], object], bool]] = [
            *((kind, True) for kind in loud),
            *((kind, False) for kind in quiet),
        ]

    def make(self, until: float) -> None:
        """Make each kind of trouble once before any comes twice."""
        waiting: list[tuple[Callable[[], object], bool]] = []
        while time.monotonic() < until:
            if not waiting:
                waiting = self._generator.sample(self._kinds, len(self._kinds))
            kind, loud = waiting.pop()
            what, began = kind.__name__.strip("_").replace("_", " "), time.monotonic()
            kind()
            self._house.heal(what)
            self._house.counts[what] += 1
            if loud:  # a listener may have asked just before it was healed
                self._house.troubles.append((began, time.monotonic()))
            print(f"  {self._house.minute(began)} {what}: {self._house.healed_s[-1]:.0f} s", flush=True)

    def _version(self) -> str:
        return str(self._generator.choice(self._house.registry.versions("groove")))

    def _deploy(self) -> None:
        self._house.run("deploy", "groove", self._version()).wait()

    def _rollback(self) -> None:
        self._house.run("rollback", "groove").wait()

    def _kill_deploy(self) -> None:
        deploying = self._house.run("deploy", "groove", self._version())
        with contextlib.suppress(subprocess.TimeoutExpired):
            deploying.wait(self._generator.uniform(0, 20))
        deploying.kill()
        deploying.wait()

    def _kill_keeper(self) -> None:
        self._house.end_keeper()
        self._house.serve()

    def _kill_triton(self) -> None:
        self._of_keeper("tritonserver").kill()

    def _kill_stub(self) -> None:
        self._of_keeper("triton_python_backend_stub").kill()

    def _stop_triton(self) -> None:
        self._of_keeper("tritonserver").send_signal(signal.SIGSTOP)

    def _kill_casting(self) -> None:
        """Unload a model behind the keeper's back, and kill the process that is to bring it back."""
        from serving.control import Control

        began = time.monotonic()
        with contextlib.closing(Control(self._house.endpoint)) as control:
            control.unload("roles")
        with contextlib.suppress(StopIteration):
            casting = self._of_keeper("serving.casting", wait_s=60.0)
            time.sleep(self._generator.uniform(0, 5))
            with contextlib.suppress(psutil.NoSuchProcess):
                casting.kill()
        with contextlib.closing(Control(self._house.endpoint)) as control:
            control.load("roles")
        self._house.troubles.append((began, time.monotonic()))

    def _damage(self) -> None:
        """Cut a file of the champion's, which goes on playing from memory."""
        champion = self._house.registry.alias("groove", "champion")
        weights = Path(self._house.where.repository, "groove", str(champion), "model", "weights.safetensors")
        weights.write_bytes(weights.read_bytes()[:100])

    def _full_disk(self) -> None:
        self._house.run("deploy", "groove", self._version(), before=f"ulimit -f {SMALL_FILES};").wait()

    def _locked(self) -> None:
        database = database_of(self._house.where.registry)
        assert database is not None, "a laptop's registry is a file"
        with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            self._house.run("deploy", "groove", "1").wait()

    def _of_keeper(self, what: str, wait_s: float = 0.0) -> psutil.Process:
        end = time.monotonic() + wait_s
        while True:
            for process in self._generator.sample(found := self._house.keeper.children(recursive=True), len(found)):
                with contextlib.suppress(psutil.Error):
                    if process.status() != psutil.STATUS_ZOMBIE and any(what in word for word in process.cmdline()[:4]):
                        return process
            if time.monotonic() > end:
                raise StopIteration(f"no {what} runs")
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
