"""How late is the separator that plays along?  Run: python -m benchmarks.separation_live

What its windows make it late whatever the machine, and how long a block of 512 samples then takes: in this process, on one
thread, and through Triton for one stream and for four at once, each sending its blocks as fast as they would be played.
Bar: of one stream through Triton 99 of 100 blocks are there before the next one is, 11.6 ms later.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import torch

from models.learning.checkpoint import save_model
from models.separation.realtime.config import LIVE
from models.separation.realtime.network import KIND, Live
from serving.asker import Asker
from serving.client import JamflowClient
from serving.contracts.separator_live import BLOCK_FRAMES, RATE_HZ, SEPARATOR_LIVE, live_stems
from serving.control import Control
from serving.in_process import InProcess
from serving.repository import Repository
from serving.server import TritonServer

BLOCKS, WARM, STREAMS = 800, 40, 4
BLOCK_S = BLOCK_FRAMES / RATE_HZ


def main() -> int:
    """Print a row for each way; 1 when one stream through Triton is late."""
    torch.set_num_threads(1)
    latency, frame = (1000 * samples / RATE_HZ for samples in (LIVE.latency_samples, BLOCK_FRAMES))
    print(f"algorithmic latency {LIVE.latency_samples} samples, {latency:.1f} ms; a block is {frame:.1f} ms")
    print(f"{'ms a block, of ' + str(BLOCKS):<34}{'p50':>8}{'p95':>8}{'p99':>8}{'most':>8}{'late':>8}")
    with tempfile.TemporaryDirectory(prefix="jamflow-bench-") as there:
        model = save_model(Path(there, "model"), Live(LIVE), LIVE, KIND)
        row("in this process", listen(InProcess(model)))
        scores = Repository(f"{there}/repository")
        scores.add(SEPARATOR_LIVE, 1, model)
        scores.serve(SEPARATOR_LIVE, [1])
        with TritonServer(scores.folder) as server, closing(Control(server.endpoint)) as control:
            control.load("separator_live")
            with JamflowClient(server.grpc_url, 30.0) as client:
                alone = row("through Triton, one stream", listen(client))
                together = threading.Barrier(STREAMS)
                with ThreadPoolExecutor(STREAMS) as listeners:
                    heard = list(listeners.map(lambda _: listen(client, together), range(STREAMS)))
                row(f"through Triton, {STREAMS} streams", np.concatenate(heard))
    late = alone > 1000 * BLOCK_S
    print(f"one stream, p99: {alone:.1f} ms ({'ABOVE the bar' if late else 'bar'}: {1000 * BLOCK_S:.1f})")
    return int(late)


def listen(asker: Asker, together: threading.Barrier | None = None) -> np.ndarray:
    """Stream noise at the pace of its playing; the milliseconds that each block took."""
    block = np.random.default_rng(0).uniform(-0.3, 0.3, (2, BLOCK_FRAMES)).astype(np.float32)
    with asker.session(SEPARATOR_LIVE) as session:
        if together:
            together.wait()
        taken, due = [], time.perf_counter()
        for _ in range(WARM + BLOCKS):
            time.sleep(max(0.0, due - time.perf_counter()))
            began = time.perf_counter()
            live_stems(session, block)
            taken.append(1000 * (time.perf_counter() - began))
            due = max(due + BLOCK_S, began)
    return np.array(taken[WARM:])


def row(name: str, taken: np.ndarray) -> float:
    """Print how long blocks took; the 99th percentile."""
    p50, p95, p99 = np.percentile(taken, (50, 95, 99))
    late = float((taken > 1000 * BLOCK_S).mean())
    print(f"{name:<34}{p50:>8.1f}{p95:>8.1f}{p99:>8.1f}{taken.max():>8.1f}{late:>8.1%}", flush=True)
    return float(p99)


if __name__ == "__main__":
    sys.exit(main())
