"""What company costs at the groove model: one client, then eight at once, each asking again as soon as it is answered.

Run: python -m benchmarks.throughput            (the starter model, or a random one of the same size)

Rounds of one and of eight take turns, and the middle round counts. Every client is a process of its own; its share of a
core is printed, so that nobody takes the askers' limit for the server's. CPU time is the whole of Triton and of the
model's process, over the answers given. An answer that company changed fails.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.triton import beat, model_to_serve
from serving.client import JamflowClient
from serving.contracts.groove import GROOVE, MODES
from serving.control import Control
from serving.repository import Repository
from serving.server import TritonServer

ASKED, CROWD, ROUNDS, ROUND_S = ("vary", "humanise"), 8, 5, 3.0
BARS, SEEDS = 2, 40
START_S = 1.5
"""From the signal to the first question: every client is awake by then."""
TARGET_RATIO = 4.0


@dataclass(frozen=True)
class Asked:
    """What one client lived through in a round."""

    taken_ms: list[float]
    notes: dict[int, bytes]
    """By seed."""
    cpu_share: float


@dataclass(frozen=True)
class Round:
    """What a round came to."""

    rate: float
    taken_ms: list[float]
    model_cpu_ms: float
    triton_cpu_ms: float
    client_share: float
    batches: Counter[int]


def main() -> int:
    """Print a row for each mode and number of clients; 1 when company changed an answer."""
    changed = 0
    with tempfile.TemporaryDirectory(prefix="jamflow-bench-") as there:
        model, what = model_to_serve(Path(there))
        Repository(f"{there}/repository").add(GROOVE, 1, model)
        Repository(f"{there}/repository").serve(GROOVE, [1])
        with (
            TritonServer(f"{there}/repository") as server,
            closing(Control(server.endpoint)) as control,
            _crowd() as crowd,
        ):
            control.load("groove")
            print(f"groove, {what}, {BARS} bars; {ROUNDS} rounds of {ROUND_S:g} s in turn, the middle one counts")
            print(f"{'':<12}{'':>8}{'answers':>9}{'ms':>16}{'CPU ms an answer':>20}{'core of':>10}   batches formed")
            print(
                f"{'':<12}{'clients':>8}{'a second':>9}{'p50':>8}{'p99':>8}{'model':>10}{'Triton':>10}{'a client':>10}"
            )
            for mode in ASKED:
                changed += _compared(server, crowd, mode)
    return int(changed > 0)


def _compared(server: TritonServer, crowd: ProcessPoolExecutor, mode: str) -> int:
    alone = _ask(server.grpc_url, mode, 0, time.time(), seeds=SEEDS).notes
    rounds: dict[int, list[Round]] = {1: [], CROWD: []}
    strange = 0
    for _ in range(ROUNDS):
        for clients, kept in rounds.items():
            figures, answers = _round(server, crowd, mode, clients)
            strange += sum(alone[seed] != notes for each in answers for seed, notes in each.notes.items())
            kept.append(figures)
    for clients, kept in rounds.items():
        _row(mode, clients, kept)
    ratio = _middle(rounds[CROWD], "rate") / _middle(rounds[1], "rate")
    verdict = "" if ratio >= TARGET_RATIO else f" (target: at least {TARGET_RATIO:g})"
    print(f"{mode:<12}{CROWD} at once get {ratio:.2f} times one client's rate{verdict}; answers changed: {strange}")
    return strange


def _round(server: TritonServer, crowd: ProcessPoolExecutor, mode: str, clients: int) -> tuple[Round, list[Asked]]:
    begin, cpu, batches = time.time() + START_S, _cpu_s(server), _batches(server)
    ask = partial(_ask, server.grpc_url, mode, begin=begin)
    answers = list(crowd.map(ask, range(clients)))
    model_s, triton_s = (after - before for before, after in zip(cpu, _cpu_s(server), strict=True))
    taken = [ms for each in answers for ms in each.taken_ms]
    figures = Round(
        rate=len(taken) / ROUND_S,
        taken_ms=taken,
        model_cpu_ms=model_s / len(taken) * 1000,
        triton_cpu_ms=triton_s / len(taken) * 1000,
        client_share=float(np.mean([each.cpu_share for each in answers])),
        batches=_batches(server) - batches,
    )
    return figures, answers


def _ask(url: str, mode: str, client: int, begin: float, seeds: int = 0) -> Asked:
    """Ask one question after another until the round is over, or each seed once where a number of seeds is given."""
    taken, notes, asked = [], {}, 0
    with JamflowClient(url, deadline_s=30.0) as connection:
        connection.ask(GROOVE, _request(mode, 0))  # imports and the connection's start are no part of the round
        time.sleep(max(0.0, begin - time.time()))
        cpu, end = time.process_time(), begin + ROUND_S
        while asked < seeds if seeds else time.time() < end:
            seed = (client * SEEDS // CROWD + asked) % SEEDS
            request, sent = _request(mode, seed), time.perf_counter()
            notes[seed] = connection.ask(GROOVE, request).arrays["notes"].tobytes()
            taken.append((time.perf_counter() - sent) * 1000)
            asked += 1
        return Asked(taken, notes, (time.process_time() - cpu) / ROUND_S)


def _request(mode: str, seed: int) -> dict[str, Any]:
    return {**beat(BARS), "mode": np.array([MODES.index(mode)], np.int32), "seed": np.array([seed], np.int64)}


def _cpu_s(server: TritonServer) -> tuple[float, float]:
    """Seconds of CPU so far: the model's processes, Triton's own."""
    triton = psutil.Process(server.pid)
    spent = [sum(process.cpu_times()[:2]) for process in (triton, *triton.children())]
    return sum(spent[1:]), spent[0]


def _batches(server: TritonServer) -> Counter[int]:
    """How often Triton handed the model so many requests at once."""
    import tritonclient.grpc as grpc

    with closing(grpc.InferenceServerClient(server.grpc_url)) as client:
        told: Any = client.get_inference_statistics("groove", client_timeout=5.0)
    [model] = told.model_stats
    return Counter({batch.batch_size: batch.compute_infer.count for batch in model.batch_stats})


def _crowd() -> ProcessPoolExecutor:
    crowd = ProcessPoolExecutor(CROWD, multiprocessing.get_context("spawn"))
    list(crowd.map(_wake, range(CROWD)))
    return crowd


def _wake(_: int) -> None:
    time.sleep(START_S)  # so that nobody wakes in another's place


def _row(mode: str, clients: int, rounds: list[Round]) -> None:
    p50, p99 = np.percentile([ms for each in rounds for ms in each.taken_ms], (50, 99))
    formed = sum((each.batches for each in rounds), Counter())
    shares = " ".join(f"{size}:{count / formed.total():.0%}" for size, count in sorted(formed.items()))
    print(
        f"{mode:<12}{clients:>8}{_middle(rounds, 'rate'):>9.0f}{p50:>8.1f}{p99:>8.1f}"
        f"{_middle(rounds, 'model_cpu_ms'):>10.2f}{_middle(rounds, 'triton_cpu_ms'):>10.2f}"
        f"{_middle(rounds, 'client_share'):>10.0%}   {shares}",
        flush=True,
    )


def _middle(rounds: list[Round], name: str) -> float:
    return float(np.median([getattr(each, name) for each in rounds]))


if __name__ == "__main__":
    sys.exit(main())
