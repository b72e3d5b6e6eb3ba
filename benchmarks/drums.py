"""A four-minute song through every stage of make-drums, nothing cached.  Run: python -m benchmarks.drums [--data FOLDER]

The song is the practice room's drums, or the first sound file of a folder of yours (no separation); the groove is played
in process. Bar: a quarter of its length on two cores; what it took of the song's own length stands beside it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from models.music.audio import find_audio, read_audio
from models.practice.songs import compose, write_song

SONG_S, BAR_S = 240.0, 60.0


def main() -> int:
    """Compose, run, print each stage's seconds and the whole."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with drums of your own, instead of the practice room's")
    data = parser.parse_args().data
    with tempfile.TemporaryDirectory(prefix="jamflow-bench-") as there:
        os.environ["JAMFLOW_HOME"] = str(Path(there, "home"))
        drums = find_audio(data)[0] if data else _long_drums(Path(there, "song"))
        song_s = read_audio(drums).seconds
        from pipelines import catalogue
        from pipelines.runner import run
        from pipelines.settings import Profile

        profile = Profile.load()
        pipeline = catalogue.pipeline("make-drums", profile.images)
        began = time.monotonic()
        outcome = run(pipeline, {"song": str(drums), "separation": False}, profile, cached=False)
        took = time.monotonic() - began
        if outcome.scribe:
            outcome.scribe.wait()
    bar_s = BAR_S * song_s / SONG_S
    print(f"\n{'a song of':<28}{song_s:8.0f} s")
    print(f"{'all stages':<28}{took:8.1f} s   {took / song_s:.3f} of its length; bar: {bar_s:.0f} s")
    return 0 if took < bar_s else 1


def _long_drums(folder: Path) -> Path:
    """Write the drum stem of a practice song of four minutes."""
    tempo_bpm = 100.0
    bars = round(SONG_S * tempo_bpm / 60 / 4)
    song = compose(np.random.default_rng(4), bars=bars, tempo_bpm=tempo_bpm)
    write_song(folder, song)
    return next(folder.rglob("drums.wav"))


if __name__ == "__main__":
    sys.exit(main())
