"""What Triton adds to a groove request: the same model, the same request, called in this process and over gRPC in turn.

Run: python -m benchmarks.triton                (the starter model, or a random one of the same size)
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from models.music.files import is_whole
from serving.client import JamflowClient
from serving.contracts.groove import GROOVE
from serving.control import Control
from serving.families import family
from serving.repository import Repository
from serving.server import TritonServer

TIMES, BARS = 200, (2, 8)
TARGET_MS = 3.0


def main() -> None:
    """Print a table: milliseconds in process, through Triton, and what was added."""
    import torch

    from serving.backends import open_player

    torch.set_num_threads(1)  # as inside Triton
    with tempfile.TemporaryDirectory(prefix="jamflow-bench-") as there:
        model, what = model_to_serve(Path(there))
        Repository(f"{there}/repository").add(GROOVE, 1, model)
        Repository(f"{there}/repository").serve(GROOVE, [1])
        player = open_player("groove", model)
        with TritonServer(f"{there}/repository") as server, closing(Control(server.endpoint)) as control:
            control.load("groove")
            print(f"groove, {what}; {TIMES} requests each, in turn; ms")
            print(f"{'request':<16}{'in process':>20}{'through Triton':>20}{'added at p50':>14}{'ratio':>8}")
            print(f"{'':<16}{'p50':>10}{'p99':>10}{'p50':>10}{'p99':>10}")
            with JamflowClient(server.grpc_url, deadline_s=30.0) as client:
                for bars in BARS:
                    request = beat(bars)
                    _row(f"{bars} bars", lambda r=request: player.play([r]), lambda r=request: client.ask(GROOVE, r))


def _row(name: str, here: Callable[[], Any], there: Callable[[], Any]) -> None:
    for call in (here, there):  # warm
        call()
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(TIMES):
        for call, times in zip((here, there), taken, strict=True):
            began = time.perf_counter()
            call()
            times.append((time.perf_counter() - began) * 1000)
    (here_p50, here_p99), (there_p50, there_p99) = (np.percentile(times, (50, 99)) for times in taken)
    added = there_p50 - here_p50
    verdict = "" if added < TARGET_MS else f"   (target: below {TARGET_MS:g})"
    print(
        f"{name:<16}{here_p50:>10.2f}{here_p99:>10.2f}{there_p50:>10.2f}{there_p99:>10.2f}"
        f"{added:>14.2f}{there_p50 / here_p50:>8.2f}{verdict}",
        flush=True,
    )


def beat(bars: int) -> dict[str, Any]:
    """Make a request for eighths on the hat, kick and snare in turn."""
    eighths = [(42, 80, 480 * step, 240) for step in range(8 * bars)]
    beats = [(36 if beat % 2 == 0 else 38, 100, 960 * beat, 240) for beat in range(4 * bars)]
    return {**GROOVE.canary_request(), "hits": np.array(eighths + beats, np.int32), "bars": np.array([bars], np.int32)}


def model_to_serve(folder: Path) -> tuple[Path, str]:
    """Return the starter's folder, or that of a random model of its size, and what it is."""
    starter = family("groove").starter_folder
    if starter and is_whole(starter):
        return starter, "the starter model"
    from models.groove.network import LAPTOP, GrooveVAE
    from models.learning.checkpoint import save_model

    return save_model(folder / "model", GrooveVAE(LAPTOP), LAPTOP, "groove"), "a random model of the laptop size"


if __name__ == "__main__":
    main()
