"""What a second of music costs to separate: CPU-seconds on one thread, beside networks of others; and what is added to it.

Run: python -m benchmarks.separation_speed              (some minutes)

Networks are of their real sizes, with random weights, and play as they are used: windows that overlap by a quarter, so that
a window of 3 s brings 2.25 s; Open-Unmix hears a song at once. The full-band Locoformer is heard for a quarter of a second
only: its attention grows with the square of the length, so that more would be dearer still. All play in turns; a ratio is
the median of those of the turns, so that what else the machine does meanwhile burdens both sides. Bars: ours needs at most half of what HTDemucs does; what lies around the network (files,
levels, windows faded into one another) adds at most 5 %; Triton adds at most 10 % to a call of 30 s in this process.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from torch import nn

from benchmarks.open_unmix import OpenUnmix
from models.learning.checkpoint import save_model
from models.music.audio import Audio, write_audio
from models.separation.chunks import in_chunks
from models.separation.delivery import deliver
from models.separation.locoformer.config import LAPTOP, LocoformerConfig
from models.separation.locoformer.engine import LocoformerEngine
from models.separation.locoformer.network import KIND, Locoformer
from models.separation.overlap import OVERLAP
from models.separation.realtime.config import LIVE
from models.separation.realtime.network import Live
from models.separation.songs import STEMS
from models.separation.stems import load_separator, stem_parts
from serving.client import JamflowClient
from serving.contracts.separator import SEPARATOR, separator
from serving.control import Control
from serving.in_process import InProcess
from serving.repository import Repository
from serving.server import TritonServer

TURNS, SONG_S, RATE_HZ = 7, 30.0, 44_100
BAR_PEER, BAR_STREAMING, BAR_TRITON = 0.5, 1.05, 1.10
OURS, THEIRS, LARGEST = "separator, laptop", "HTDemucs", "full-band Locoformer"
SMALL = LocoformerConfig(
    variant="full", channels=1, hop=1024, width=96, blocks=4, hidden=(128, 128), kernel=8, attention=128
)
"""The smallest of the published full-band sizes."""


def main() -> int:
    """Print three tables; return how many bars were missed."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    missed = networks()
    with tempfile.TemporaryDirectory(prefix="jamflow-bench-") as there:
        model = save_model(Path(there, "model"), Locoformer(LAPTOP), LAPTOP, KIND)
        missed += around(model, Path(there))
        missed += through_triton(model, Path(there))
    return missed


def networks() -> int:
    """Compare networks by what a second of music costs."""
    from demucs.htdemucs import HTDemucs

    demucs = HTDemucs(list(STEMS), channels=48, bottom_channels=512, dconv_mode=3, segment=Fraction(39, 5))  # type: ignore[arg-type]
    full = Locoformer(SMALL)
    windows: dict[str, tuple[nn.Module, float, float]] = {
        THEIRS: (demucs, 7.8, 1 - OVERLAP),
        OURS: (Locoformer(LAPTOP), LAPTOP.segment_s, 1 - OVERLAP),
        "separator_live, live": (Live(LIVE), 10.0, 1.0),
        "Open-Unmix": (OpenUnmix(STEMS, 512), 10.0, 1.0),
    }
    plays = {name: hearing(network, seconds) for name, (network, seconds, _) in windows.items()}
    costs, _ = in_turns({name: lambda play=play: cpu_s(play) for name, play in plays.items()})
    each = {name: cost / (windows[name][1] * windows[name][2]) for name, cost in costs.items()}
    each[LARGEST] = cpu_s(hearing(full, 0.25)) / 0.25 / (1 - OVERLAP)
    sizes = {name: network for name, (network, _, _) in windows.items()} | {LARGEST: full}
    print(f"{'':<24}{'M weights':>10}{'CPU-s a second':>16}{'of HTDemucs':>13}")
    for name, cost in each.items():
        millions = sum(weight.numel() for weight in sizes[name].parameters()) / 1e6
        print(f"{name:<24}{millions:>10.1f}{cost:>16.3f}{cost / each[THEIRS]:>13.2f}", flush=True)
    return verdict(f"{OURS} over {THEIRS}", each[OURS] / each[THEIRS], BAR_PEER)


def around(model: Path, there: Path) -> int:
    """Compare the way from song to stems with the bare network on the same windows."""
    engine, song = load_separator(model), noise()
    assert isinstance(engine, LocoformerEngine)
    hear, stride = in_chunks(engine.network, engine.window), int((1 - OVERLAP) * engine.window)
    file = write_audio(there / "song.wav", song, subtype="PCM_16")

    def bare() -> None:
        for start in range(0, song.frames, stride):
            hear(song.samples, start)

    def to_disk() -> None:
        with tempfile.TemporaryDirectory(dir=there) as place:
            deliver(file, engine, Path(place, "stems"))

    measures = {
        "the bare network": lambda: cpu_s(bare),
        "part by part in memory": lambda: cpu_s(lambda: hear_out(stem_parts(song, engine))),
        "from file to files": lambda: cpu_s(to_disk),
    }
    return rows(measures, "part by part in memory", BAR_STREAMING)


def through_triton(model: Path, there: Path) -> int:
    """Compare a call over the wire with one in this process; the CPU-seconds of both ends count."""
    scores, song, here = Repository(there / "repository"), noise(), InProcess(model)
    scores.add(SEPARATOR, 1, model)
    scores.serve(SEPARATOR, [1])
    with TritonServer(scores.folder) as server, closing(Control(server.endpoint)) as control:
        control.load("separator")
        with JamflowClient(server.grpc_url, 300.0) as client:
            measures = {
                "a call in this process": lambda: cpu_s(lambda: hear_out(separator(here, song))),
                "a call through Triton": lambda: cpu_s(lambda: hear_out(separator(client, song)), server.pid),
            }
            return rows(measures, "a call through Triton", BAR_TRITON)


def in_turns(measures: dict[str, Callable[[], float]]) -> tuple[dict[str, float], dict[str, float]]:
    """Measure all in turns, after one that warms them: the median of each, and of its ratio to the first of its turn."""
    first, *_ = measures
    turns = [{name: measure() for name, measure in measures.items()} for _ in range(TURNS + 1)][1:]
    costs = {name: statistics.median(turn[name] for turn in turns) for name in measures}
    return costs, {name: statistics.median(turn[name] / turn[first] for turn in turns) for name in measures}


def cpu_s(play: Callable[[], Any], *others: int) -> float:
    """CPU-seconds that this process, and others with their children, spend on it."""
    began = time.process_time() + _spent_s(others)
    play()
    return time.process_time() + _spent_s(others) - began


def _spent_s(pids: tuple[int, ...]) -> float:
    """CPU-seconds of processes and their children."""
    found = [each for pid in pids for each in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))]
    return sum(sum(each.cpu_times()[:2]) for each in found)


def hearing(network: nn.Module, seconds: float) -> Callable[[], None]:
    """Let a network hear so much noise."""
    network.eval()
    mixture = 0.1 * torch.randn(1, 2, round(seconds * RATE_HZ))

    @torch.inference_mode()
    def play() -> None:
        network(mixture)

    return play


def hear_out(parts: Iterator[Any]) -> None:
    """Take parts as they come, and keep none."""
    deque(parts, maxlen=0)


def noise() -> Audio:
    samples = np.random.default_rng(0).uniform(-0.3, 0.3, (2, round(SONG_S * RATE_HZ)))
    return Audio(samples.astype(np.float32), RATE_HZ, "song")


def rows(measures: dict[str, Callable[[], float]], judged: str, bar: float) -> int:
    """Measure in turns and print what each costs beside the first; 1 where the judged one misses its bar."""
    costs, ratios = in_turns(measures)
    print(f"\n{f'a song of {SONG_S:g} s':<24}{'CPU-s':>10}{'ratio':>8}")
    for name, cost in costs.items():
        print(f"{name:<24}{cost:>10.3f}{ratios[name]:>8.3f}", flush=True)
    return verdict(judged, ratios[judged], bar)


def verdict(what: str, ratio: float, bar: float) -> int:
    print(f"{what}: {ratio:.3f} ({'bar' if ratio <= bar else 'ABOVE the bar'}: {bar:.2f})", flush=True)
    return int(ratio > bar)


if __name__ == "__main__":
    sys.exit(main())
