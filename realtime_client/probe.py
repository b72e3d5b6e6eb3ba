"""Stand at the receiving end of a port and write down what arrives, and when.

    python -m realtime_client.probe "Jamflow out" heard.jsonl [seconds]

Lines are {"at_ns": ..., "data": [...]}, each written as it comes; times are `perf_counter_ns`. It waits for the port, takes it
up again when it comes back, and ends on Ctrl-C or SIGTERM. `inside:NAME` is heard as its only listener.
"""

from __future__ import annotations

import contextlib
import json
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from realtime_client.ports import open_input
from realtime_client.punctual import never_collect, take_priority

PRIORITY = 60
LOOK_S, ENDED_S = 0.2, 5.0


def listen(name: str, file: Path, stopped: threading.Event, seconds: float) -> None:
    """Write until it is over."""
    end = time.monotonic() + seconds
    with contextlib.closing(open_input(name, wait=True)) as port, file.open("w", encoding="utf-8") as lines:
        looked = time.monotonic()
        while not stopped.is_set() and time.monotonic() < end:
            select.select([port], [], [], LOOK_S)
            for at_ns, data in port.read():
                lines.write(json.dumps({"at_ns": at_ns, "data": data}) + "\n")
            lines.flush()
            if time.monotonic() - looked > LOOK_S:
                looked = time.monotonic()
                port.look()


@contextlib.contextmanager
def probing(name: str, file: Path) -> Iterator[None]:
    """Let a process of its own listen as long as the block lasts."""
    process = subprocess.Popen([sys.executable, "-m", "realtime_client.probe", name, file])
    try:
        yield
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(ENDED_S)
        process.kill()
        process.wait()


def main(arguments: list[str]) -> int:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    take_priority(PRIORITY)
    never_collect()
    name, file, *seconds = arguments
    listen(name, Path(file), stopped, float(*seconds or ["inf"]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
