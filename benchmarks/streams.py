"""What Triton adds to an answer in parts: the same player's generator in this process, and the same parts over gRPC.

Run: python -m benchmarks.streams               (the toys of the tests: a stream and a session of small parts)
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from models.music.files import MANIFEST, manifest_of, write_json
from serving.asker import Asker, Parts
from serving.client import JamflowClient
from serving.contract import ModelContract
from serving.control import Control
from serving.in_process import InProcess
from serving.repository import Repository
from serving.server import TritonServer

TOYS = Path(__file__).parents[1] / "tests" / "serving"
sys.path.insert(0, str(TOYS))
from counting_model import COUNTING, CountingPlayer  # noqa: E402
from remembering_model import REMEMBERING, RememberingPlayer  # noqa: E402

TIMES, PARTS = 200, 5
PAUSES_MS = (0.0, 5.0)
"""The bars hold for a machine at work; between parts that take their time its caches go cold, which is shown beside."""
FIRST_MS, FURTHER_MS = 1.5, 0.5

Ask = Callable[[], Parts]


def main() -> int:
    """Print a table: milliseconds to the first part and from part to part, in process, through Triton, and added."""
    with tempfile.TemporaryDirectory(prefix="jamflow-bench-") as there:
        scores = Repository(f"{there}/repository")
        for contract in (COUNTING, REMEMBERING):
            scores.add(contract, 1, _nothing(Path(there) / "model"), backend=TOYS / f"{contract.name}_model.py")
            scores.serve(contract, [1])
        with TritonServer(scores.folder) as server, closing(Control(server.endpoint)) as control:
            for contract in (COUNTING, REMEMBERING):
                control.load(contract.name)
            print(f"a bare round trip to this server, now: {_round_trip_ms(server):.2f} ms")
            print(f"{TIMES} answers each, in turn, of {PARTS} parts; p50 (p99), ms")
            print(f"{'':<38}{'in process':>18}{'through Triton':>18}{'added at p50':>14}")
            with JamflowClient(server.grpc_url) as client:
                late = _stream(InProcess("", player=CountingPlayer()), client)
                late += _session(InProcess("", player=RememberingPlayer()), client)
    return late


def _round_trip_ms(server: TritonServer) -> float:
    """What any call costs on this machine at this moment (0.3 ms when it is idle), to judge the rest by."""
    import tritonclient.grpc as grpc

    with closing(grpc.InferenceServerClient(server.grpc_url)) as client:
        taken = []
        for _ in range(TIMES):
            began = time.perf_counter()
            client.is_server_live()
            taken.append((time.perf_counter() - began) * 1000)
    return float(np.median(taken))


def _stream(here: Asker, there: Asker) -> int:
    late = 0
    for pause_ms in PAUSES_MS:
        asked = _request(COUNTING, "upto", pause_ms)
        asks: list[Ask] = [lambda asker=asker, asked=asked: asker.stream(COUNTING, asked) for asker in (here, there)]
        late += _rows("stream", pause_ms, *asks)
    return late


def _session(here: Asker, there: Asker) -> int:
    late = 0
    with here.session(REMEMBERING) as ours, there.session(REMEMBERING) as theirs:
        for pause_ms in PAUSES_MS:
            asked = _request(REMEMBERING, "count", pause_ms)
            asks: list[Ask] = [lambda session=session, asked=asked: session.ask(asked) for session in (ours, theirs)]
            late += _rows("session", pause_ms, *asks)
    return late


def _rows(name: str, pause_ms: float, here: Ask, there: Ask) -> int:
    """Ask here and there in turn; print a row for first parts and one for further ones, and count those too late."""
    firsts: tuple[list[float], list[float]] = ([], [])
    furthers: tuple[list[float], list[float]] = ([], [])
    for turn in range(TIMES + 2):
        for ask, first, further in zip((here, there), firsts, furthers, strict=True):
            taken = list(_timed(ask))
            if turn >= 2:  # warm
                first.append(taken[0])
                further.extend(taken[1:])
    late = _row(f"{name}, first part", pause_ms, firsts, FIRST_MS)
    return late + _row(f"{name}, each further", pause_ms, furthers, FURTHER_MS)


def _timed(ask: Ask) -> Iterator[float]:
    before = time.perf_counter()
    with ask() as parts:
        for _ in parts:
            now = time.perf_counter()
            yield (now - before) * 1000
            before = now


def _row(name: str, pause_ms: float, taken: tuple[list[float], list[float]], bar_ms: float) -> int:
    (here_p50, here_p99), (there_p50, there_p99) = (np.percentile(times, (50, 99)) for times in taken)
    added = there_p50 - here_p50
    if pause_ms:
        name, verdict = f"{name}, {pause_ms:g} ms apart", ""
    else:
        verdict = f"   (bar: below {bar_ms:g})" if added < bar_ms else f"   ABOVE the bar of {bar_ms:g}"
    here, there = f"{here_p50:.2f} ({here_p99:.2f})", f"{there_p50:.2f} ({there_p99:.2f})"
    print(f"{name:<38}{here:>18}{there:>18}{added:>14.2f}{verdict}", flush=True)
    return int(not pause_ms and added >= bar_ms)


def _request(contract: ModelContract, count: str, pause_ms: float) -> dict[str, np.ndarray]:
    request = {count: np.array([PARTS], np.int32), "pause_ms": np.array([pause_ms], np.float32)}
    contract.check(request)
    return request


def _nothing(folder: Path) -> Path:
    """A model folder with nothing in it: the toys have no weights."""
    folder.mkdir(exist_ok=True)
    write_json(folder / MANIFEST, manifest_of(folder))
    return folder


if __name__ == "__main__":
    sys.exit(main())
