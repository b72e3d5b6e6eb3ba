"""Does an hour's song need more memory than a minute's? From file to stems on disk, each length in a process of its own.

Run: python -m benchmarks.separation_memory             (a few minutes; 12 GB of disk while the hour is made)

The engine hears windows of 7.8 s that overlap, as HTDemucs' do, and gives back shares of what it hears: an engine's network
has its own need, the same for every length. Peak resident memory is told above that of a process that has loaded everything
and separated one second.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from models.music.audio import Audio, write_parts
from models.separation.delivery import Wishes, deliver
from models.separation.overlap import Samples, overlap_added

MINUTES = (1, 10, 60)
ALLOWED = 1.10
RATE_HZ, WINDOW = 44_100, 343_980
SHARES = np.array([0.4, 0.3, 0.2, 0.1], np.float32)[:, None, None]


class Shares:
    """Four stems, each a share of the mixture."""

    stems, rate_hz, channels, memory_mb = ("drums", "bass", "other", "vocals"), RATE_HZ, 2, 100

    def parts(self, song: Iterator[Samples], middle: float, spread: float) -> Iterator[Samples]:
        return overlap_added(song, lambda around, start: SHARES * around[None, :, start : start + WINDOW], WINDOW)


def main() -> int:
    """Print a row for each length; 1 when the longest needs more than a tenth above the shortest."""
    spawn, peaks = multiprocessing.get_context("spawn"), {}
    print(f"{'minutes':>8}{'peak MB':>10}{'above the model':>18}{'× real time':>14}")
    with tempfile.TemporaryDirectory(prefix="jamflow-bench-") as there:
        bare = _apart(spawn, there, 1 / 60)[0]
        for minutes in MINUTES:
            peak, seconds = _apart(spawn, there, minutes)
            peaks[minutes] = peak - bare
            print(f"{minutes:>8}{peak:>10.0f}{peak - bare:>15.0f} MB{60 * minutes / seconds:>14.0f}", flush=True)
    ratio = max(peaks.values()) / min(peaks.values())
    print(f"the most over the least: {ratio:.2f} ({'bar' if ratio <= ALLOWED else 'ABOVE the bar'}: {ALLOWED:.2f})")
    return int(ratio > ALLOWED)


def _apart(spawn, there: str, minutes: float) -> tuple[float, float]:
    with spawn.Pool(1) as pool:
        return pool.apply(_measure, (there, minutes))


def _measure(there: str, minutes: float) -> tuple[float, float]:
    """Peak resident MB and seconds of one song's way."""
    song = Path(there, f"{minutes:g}.wav")
    write_parts(song, (_noise(second) for second in range(round(60 * minutes))), subtype="PCM_16")
    began = time.monotonic()
    deliver(song, Shares(), Path(there, f"stems-{minutes:g}"), Wishes(add_up=True))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.monotonic() - began


def _noise(seed: int) -> Audio:
    return Audio(np.random.default_rng(seed).uniform(-0.5, 0.5, (2, RATE_HZ)).astype(np.float32), RATE_HZ)


if __name__ == "__main__":
    sys.exit(main())
