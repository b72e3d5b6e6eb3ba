"""A four-minute song through every stage of make-drums, nothing cached.  Run: python -m benchmarks.drums

The song is the practice room's drums (no separation), the groove is played in process. Bar: under 60 s on two cores;
what it took of the song's own length stands beside it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from models.practice.songs import compose, write_song

SONG_S, BAR_S = 240.0, 60.0


def main() -> int:
    """Compose, run, print each stage's seconds and the whole."""
    with tempfile.TemporaryDirectory(prefix="jamflow-bench-") as there:
        os.environ["JAMFLOW_HOME"] = str(Path(there, "home"))
        drums = _long_drums(Path(there, "song"))
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
    print(f"\n{'a song of':<28}{SONG_S:8.0f} s")
    print(f"{'all stages':<28}{took:8.1f} s   {took / SONG_S:.3f} of its length; bar: {BAR_S:g} s")
    return 0 if took < BAR_S else 1


def _long_drums(folder: Path) -> Path:
    """Write the drum stem of a practice song of four minutes."""
    tempo_bpm = 100.0
    bars = round(SONG_S * tempo_bpm / 60 / 4)
    song = compose(np.random.default_rng(4), bars=bars, tempo_bpm=tempo_bpm)
    write_song(folder, song)
    return next(folder.rglob("drums.wav"))


if __name__ == "__main__":
    sys.exit(main())
