"""The live client from the chord to the far end of the cable, with a real Triton and the starter soloist.

    python -m benchmarks.live [--minutes 10] [--entries 60] [--voice FOLDER]

Two sessions over JACK's ports with its dummy driver: chords that come into silence (how soon is the first note?), and a player
who does not stop (how punctual, how far ahead, is there a hole?). A process at the receiving end stamps what arrives. Beside
them, in the same run: the bare port under a plain alarm, the server's answers without the client, and the share of time that
the host took from this machine, which no client can make up for.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.live_port import bare_port, lateness_ms, stolen
from models.music.chords import Chord
from models.music.errors import BadConfig
from realtime_client.demo import perform
from realtime_client.jack import jack_server
from realtime_client.kpi import Session
from realtime_client.player import Event, performance
from realtime_client.ports import OUR_OUTPUT
from realtime_client.probe import probing
from realtime_client.recorder import HEARD
from realtime_client.report import write_report
from realtime_client.settings import JamSettings
from serving.client import JamflowClient
from serving.contracts.jam import JAM, Cue, solo
from serving.control import Control
from serving.families import family
from serving.repository import Repository
from serving.server import TritonServer

ENTRY_BPM, ENTRY_BARS = 200.0, 4
"""A chord, a bar of solo, rests: then the next chord comes into silence."""
PLAY_BPM = 140.0
ROUND_TRIPS = 100
BARS = {
    "ttfn_any_ms_p99": (80.0, "first note, p99"),
    "arrival_jitter_ms_p99": (2.0, "jitter where notes arrive, p99"),
    "dead_air_gaps": (0.0, "gaps that nobody meant"),
    "stuck_notes": (0.0, "stuck notes"),
    "restarted": (0.0, "crashes"),
}
LEAST_AHEAD = 1.0


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--entries", type=int, default=60)
    parser.add_argument("--voice", type=Path, default=family("jam").starter_folder)
    parser.add_argument("--keep", type=Path, help="a folder for both sessions' reports")
    values = parser.parse_args(argv)
    if values.voice is None:
        print("live: skipped, no starter soloist comes along; --voice FOLDER takes another")
        return 0
    try:
        with tempfile.TemporaryDirectory() as there, jack_server(), served(values.voice, Path(there)) as url:
            return _measured(url, values, values.keep or Path(there))
    except BadConfig as error:
        print(f"live: skipped, {error}")
        return 0


@contextlib.contextmanager
def served(voice: Path, folder: Path) -> Iterator[str]:
    """Serve one soloist with a real Triton."""
    scores = Repository(folder / "repository")
    scores.add(JAM, 1, voice)
    scores.serve(JAM, [1])
    with TritonServer(scores.folder) as server, contextlib.closing(Control(server.endpoint)) as control:
        control.load(JAM.name)
        yield server.grpc_url


def _measured(url: str, values: argparse.Namespace, folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    before = stolen()
    bare, trips = _bare(folder), _round_trips(url)
    print(f"bare port: jitter p50 {np.median(bare):.2f}, p99 {np.percentile(bare, 99):.2f} ms")
    print(
        f"a first note of the server alone, one session going on: p50 {np.median(trips):.1f}, p99 {np.percentile(trips, 99):.1f} ms"
    )
    entry_s = ENTRY_BARS * 4 * 60 / ENTRY_BPM
    print(f"\n{values.entries} chords into silence, {ENTRY_BPM:g} bpm")
    rests = JamSettings(url, tempo_bpm=ENTRY_BPM, rest_after_bars=1, terminal=False)
    entries = _session(rests, folder / "entries", _entries(values.entries, entry_s), values.entries * entry_s)
    print(f"\na player for {values.minutes:g} minutes, {PLAY_BPM:g} bpm")
    seconds = 60 * values.minutes
    plays = JamSettings(url, tempo_bpm=PLAY_BPM, terminal=False)
    playing = _session(plays, folder / "playing", performance(7, seconds, PLAY_BPM).events, seconds)
    taken, all_time = (now - then for now, then in zip(stolen(), before, strict=True))
    print(f"\nthe host took {taken / max(1, all_time):.1%} of this machine's time meanwhile")
    return _judged(entries, playing)


def _session(settings: JamSettings, folder: Path, events: Iterable[Event], seconds: float) -> dict[str, float]:
    """Play a session to its end and tell of it; what arrived, arrived at a process of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    heard = folder / HEARD
    session = perform(settings._replace(record=str(folder)), events, seconds, heard)
    for line in write_report(session, heard):
        print(line)
    return Session.read(session, heard).figures()


def _entries(count: int, every_s: float) -> Iterator[Event]:
    """A chord now and then, each with its hands a little apart, let go at once."""
    dice = np.random.default_rng(7)
    for n in range(count):
        root = int(dice.integers(12))
        at_s = n * every_s + float(dice.uniform(0, 0.3))
        pitches = [48 + root + interval for interval in ((0, 3, 7, 10), (0, 4, 7, 10), (0, 4, 7, 11))[n % 3]]
        for pitch in dice.permutation(pitches).tolist():
            at_s += float(dice.uniform(0, 0.006))
            yield at_s, (0x90, pitch, 80)
        yield from ((at_s + 0.3, (0x80, pitch, 0)) for pitch in pitches)


def _bare(folder: Path) -> np.ndarray:
    """How far a note's way through the bare port is from the median."""
    heard = folder / "bare.jsonl"
    with probing(OUR_OUTPUT, heard):
        sent = bare_port(1000, heard)
    late = lateness_ms(sent, heard)
    return np.abs(late - np.median(late))


def _round_trips(url: str) -> list[float]:
    """Milliseconds to a first note, asked as the client asks while it plays."""
    taken, line = [], []
    chords = tuple((3840 * bar, Chord.parse(name)) for bar, name in enumerate(("Am7", "D7", "Gmaj7", "C") * 40))
    with JamflowClient(url) as client, client.session(JAM) as session:
        for bar in range(ROUND_TRIPS):
            began = time.perf_counter()
            for n, note in enumerate(solo(session, Cue(bar * 3840, 3840, chords, primer=line, seed=bar))):
                if n == 0:
                    taken.append(1000 * (time.perf_counter() - began))
                line.append(note.tolist())
    return taken


def _judged(entries: dict[str, float], playing: dict[str, float]) -> int:
    figures = {**playing, "ttfn_any_ms_p99": entries["ttfn_any_ms_p99"]}
    missed = [
        f"{words} is {figures[name]:.2f}, the bar {bar:g}"
        for name, (bar, words) in BARS.items()
        if figures.get(name, 0) > bar
    ]
    if playing["bars_ahead_min"] < LEAST_AHEAD:
        missed.append(f"least ahead is {playing['bars_ahead_min']:.2f} bars, the bar {LEAST_AHEAD:g}")
    print("\n" + ("every bar is met" if not missed else "MISSED: " + "; ".join(missed)))
    return len(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
