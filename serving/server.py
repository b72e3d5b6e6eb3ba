"""The real Triton as a child process, on loopback and free ports.

    with TritonServer(repository) as server:
        groove(JamflowClient(server.grpc_url), hits, bars=2)

The server ends with its parent, whatever ends the parent. Model control, shared memory, tracing and logging are closed to
everybody without the random admin key, because each of them lets a client write files or run code. (The key stands on the
server's command line, and Triton takes it in no other way: docs/operating.md says what protects it.)
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from models.music.errors import Unavailable
from serving import triton_files
from serving.control import Control
from serving.endpoint import Endpoint, lives
from serving.families import FAMILIES
from serving.scratch import scratch

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
RESTRICTED = "model-repository,shared-memory,trace,logging"
SHARED_MEMORY = Path("/dev/shm")
KEPT_BY = re.compile(r"jamflow_(\d+)_")
"""How the names of a server's shared memory begin: whose it is. Its stubs are told."""
STOP_S = 12.0
START_S = 60.0
SHARED_BYTES = 64 << 20
"""What Triton and a model's process share at least, as far as they need it."""

# Dies with its parent, even while it is stopped: asks the kernel for SIGKILL at the parent's end, then becomes the program.
# No file of a server grows beyond what the contracts may need: the memory it shares with a model's process is such a file,
# and would never shrink again.
_TIED = (
    "import ctypes, os, resource, sys; ctypes.CDLL(None).prctl(1, 9); largest = int(sys.argv[2]); "
    "largest and resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest)); "
    "os.getppid() == int(sys.argv[1]) or sys.exit(1); os.execv(sys.argv[3], sys.argv[3:])"
)


class Ports(NamedTuple):
    """Where a server listens."""

    grpc: int
    http: int
    metrics: int


class TritonServer:
    """A Triton server over one model repository; start, load, stop. Start it from a thread that lives as long as it shall."""

    def __init__(
        self,
        repository: str | os.PathLike[str],
        folder: str | os.PathLike[str] | None = None,
        ports: Ports | None = None,
    ) -> None:
        self.repository = Path(repository).resolve()
        self._given_folder = Path(folder).resolve() if folder else None
        self.log_path = Path()
        self._wanted_ports = ports
        self._process: subprocess.Popen[bytes] | None = None
        self._endpoint: Endpoint | None = None
        self._shared_prefix = ""
        self._leaving = contextlib.ExitStack()
        self._identity = (f"jamflow-{secrets.token_hex(4)}", secrets.token_hex(16))

    def __enter__(self) -> TritonServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint(self) -> Endpoint:
        if self._endpoint is None:
            raise Unavailable("the server has not been started. Call start() first.")
        return self._endpoint

    @property
    def grpc_url(self) -> str:
        return self.endpoint.grpc_url

    @property
    def admin_key(self) -> str:
        return self.endpoint.admin_key

    @property
    def pid(self) -> int:
        """Triton's own process id (the endpoint's is the keeper's)."""
        if self._process is None:
            raise Unavailable("the server has not been started. Call start() first.")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> TritonServer:
        """Start and wait until this very server answers; a port snatched in between is tried again."""
        home = triton_files.distribution()
        self.repository.mkdir(parents=True, exist_ok=True)
        end_orphans()
        sweep_shared_memory()
        for attempt in range(3):
            try:
                road = self._leaving.enter_context(scratch("triton"))
                (road / "repository").symlink_to(
                    self.repository
                )  # which may have letters that Triton's stub cannot bear
                self.log_path = (self._given_folder or road) / "triton.log"
                self.log_path.parent.mkdir(parents=True, exist_ok=True)
                triton_files.lay_out(home, road)
                self._launch(home, road, self._wanted_ports or free_ports())
                self._wait_ready()
                return self
            except BaseException as error:
                snatched = isinstance(error, Unavailable) and "in use" in self.last_words()
                self.stop()
                if attempt == 2 or not snatched:
                    raise
                self._wanted_ports = None
        raise AssertionError("unreachable")

    def restart(self, *, gently: bool = True) -> None:
        """Start again at the same addresses with the same key, so that clients find it where it was."""
        known = self.endpoint
        self.stop(gently=gently)
        self._wanted_ports = Ports(
            *(int(url.rsplit(":", 1)[1]) for url in (known.grpc_url, known.http_url, known.metrics_url))
        )
        self.start()

    def processes(self, name: str) -> Counter[int]:
        """How many processes play each version of this model; Triton itself does not tell."""
        import psutil

        playing: Counter[int] = Counter()
        with contextlib.suppress(psutil.NoSuchProcess):
            for stub in psutil.Process(self.pid).children():
                with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                    told = re.search(rf"/{name}/(\d+)/", " ".join(stub.cmdline()))
                    if told:
                        playing[int(told[1])] += 1
        return playing

    def stop(self, *, gently: bool = True) -> None:
        """End the server and its stubs; leave no process and no shared memory behind."""
        process, self._process = self._process, None
        if process is not None:
            if process.poll() is None and gently:
                process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_S)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its own session: the server if it hangs, and any stub it left
            process.wait()
        if self._shared_prefix:
            for region in SHARED_MEMORY.glob(f"{self._shared_prefix}*"):
                region.unlink(missing_ok=True)
        self._leaving.close()

    def last_words(self, lines: int = 3) -> str:
        """The last errors in the server's log, in one line."""
        with contextlib.suppress(OSError):
            told = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
            errors = [line for line in told if line.startswith("E") and "CudaDriverHelper" not in line]
            return " | ".join(line.split("] ", 1)[-1].strip('"') for line in errors[-lines:])
        return ""

    def _launch(self, home: Path, road: Path, ports: Ports) -> None:
        server_id, key = self._identity
        self._shared_prefix = f"jamflow_{os.getpid()}_{secrets.token_hex(3)}_"
        command = [
            str(home / "bin" / "tritonserver"),
            f"--id={server_id}",
            f"--model-repository={road / 'repository'}",
            "--model-control-mode=explicit",
            "--disable-auto-complete-config",
            f"--backend-directory={road / 'backends'}",
            f"--backend-config=python,shm-region-prefix-name={self._shared_prefix}",
            "--backend-config=python,shm-default-byte-size=4194304",
            *(f"--{door}-address={LOOPBACK}" for door in ("http", "grpc", "metrics")),
            f"--http-port={ports.http}",
            f"--grpc-port={ports.grpc}",
            f"--metrics-port={ports.metrics}",
            f"--grpc-restricted-protocol={RESTRICTED}:admin-key={key}",
            f"--http-restricted-api={RESTRICTED}:admin-key={key}",
            "--exit-timeout-secs=5",
            "--grpc-infer-allocation-pool-size=0",  # a pool would keep the largest messages that ever came
        ]
        if not Path("/dev/nvidiactl").exists():
            command += ["--pinned-memory-pool-byte-size=0", "--allow-gpu-metrics=false"]
        with open(self.log_path, "wb") as words:
            self._process = subprocess.Popen(
                tied(command, largest_file()),
                env=triton_files.environment(),
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        grpc, http, metrics = (f"{LOOPBACK}:{port}" for port in ports)
        self._endpoint = Endpoint(grpc, http, metrics, server_id, key, os.getpid(), str(self.repository))

    def _wait_ready(self) -> None:
        end = time.monotonic() + START_S
        while True:
            if not self.running:
                raise Unavailable(
                    f"Triton ended while starting: {self.last_words() or 'no word'}. See {self.log_path}."
                )
            with contextlib.suppress(OSError, ValueError):
                if _http_json(self.endpoint.http_url, "/v2")["name"] == self.endpoint.server_id:
                    break
            if time.monotonic() > end:
                raise Unavailable(
                    f"Triton was not ready after {START_S:g} s: {self.last_words() or 'no word'}. See {self.log_path}."
                )
            time.sleep(0.02)
        control = Control(self.endpoint)
        control.verify()  # the gRPC port could still be somebody else's
        control.close()
        log.info("Triton %s answers at %s", self.endpoint.server_id, self.endpoint.grpc_url)


def tied(command: list[str], largest_file: int = 0) -> list[str]:
    """A command that ends with this process, whatever ends it; start it from a thread that lives as long."""
    return [sys.executable, "-S", "-c", _TIED, str(os.getpid()), str(largest_file), *command]


def largest_file() -> int:
    """What the greediest model may need to hand its requests over, in bytes; Triton refuses those that need more."""
    return max(SHARED_BYTES, *(kept.contract.bytes_in_flight for kept in FAMILIES.values()))


def free_ports() -> Ports:
    """Ports nobody listens on at this moment."""
    sockets = [socket.socket() for _ in Ports._fields]
    try:
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return Ports(*(each.getsockname()[1] for each in sockets))
    finally:
        for each in sockets:
            each.close()


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of this machine."""
    with socket.socket() as probe, contextlib.suppress(OSError, OverflowError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((LOOPBACK, port))
        return True
    return False


def end_orphans() -> None:
    """End what plays on for a keeper that is gone: a stub whose server was killed while it loaded waits for ever."""
    import psutil

    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or [""]
        keepers = [int(found[1]) for word in words if (found := KEPT_BY.match(word))]
        if words[0].endswith(triton_files.STUB) and keepers and not lives(keepers[0]):
            with contextlib.suppress(psutil.Error):  # somebody else's, or gone by itself
                process.kill()


def sweep_shared_memory() -> None:
    """Remove what servers of ours left whose keeper was killed outright."""
    for region in SHARED_MEMORY.glob("jamflow_*_*"):
        keeper = region.name.split("_")[1]
        if keeper.isdigit() and not Path(f"/proc/{keeper}").exists():
            region.unlink(missing_ok=True)


def _http_json(address: str, path: str) -> Any:
    with urllib.request.urlopen(f"http://{address}{path}", timeout=1) as answer:
        return json.load(answer)
