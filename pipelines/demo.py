"""The whole house in about five minutes: serve, train, judge, make drums, play.  Run: make demo

It needs no data and no network: the practice room's drummers and songs stand in for yours.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from models.music.errors import JamflowError
from pipelines import catalogue
from pipelines.settings import Profile


def main() -> int:
    """Run every part once; end by saying where everything is."""
    profile, began = Profile.load(), time.monotonic()
    folder = profile.home / "demo"
    print(f"Jamflow demo: about five minutes on two cores; everything goes to {profile.home}.\n")
    try:
        _say(1, "Triton serves the starter models (the first time, it registers them)")
        endpoint = _serve(profile)
        _say(2, "A tiny groove model learns from practice drummers and is judged beside the champion")
        training = _run("train-groove", {"data": "practice", "preset": "tiny"}, profile)
        _back_to_the_starter(profile)
        _say(3, "A drum file from the practice room is played as a human would, and rendered")
        playing = _run("play-groove", {"midi": _practice_beat(folder)}, profile)
        _say(4, "A practice song becomes one-shots, a kit with roles, a beat and a groove")
        drums = _run("make-drums", {"song": "practice"}, profile)
    except JamflowError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    from pipelines.publish import publish

    written = publish(playing.paths(), folder / "groove") + publish(drums.paths(), folder / "drums")
    print(f"\nDone in {time.monotonic() - began:.0f} s. Listen, look, go on:")
    for label, suffix in (("MIDI", ".mid"), ("WAV", ".wav")):
        for path in [p for p in written if p.suffix == suffix and not p.name.startswith("dummy_")]:
            print(f"  {label:<9}{path}")
    for outcome in (training, playing, drums):
        print(f"  {'report':<9}{outcome.report}")
    print(f"  {'MLflow':<9}{profile.mlflow_command}")
    print(f"  {'Triton':<9}{endpoint.grpc_url} (gRPC); it goes on serving until `jamflow serve --stop`")
    return 0


def _say(number: int, words: str) -> None:
    print(f"\n{number}/4  {words}.", flush=True)


def _serve(profile: Profile):
    """Start the server in the background, or take the one that runs."""
    from pipelines.commands.serve import main as serve
    from serving.endpoint import Endpoint

    told = profile.serving
    if Endpoint.running(told) is None:
        serve(["--detach"])
    return Endpoint.read(told)


def _back_to_the_starter(profile: Profile) -> None:
    """A toy taught by toy drummers may pass its gate, but shall not stay: roll back, which is one command."""
    from pipelines.commands.rollback import main as rollback
    from serving.registry import CHAMPION, Registry

    registry = Registry.at(profile.where)
    if (registry.alias("groove", CHAMPION) or 1) > 1:
        rollback(["groove"])


def _run(name: str, arguments: dict, profile: Profile):
    from pipelines.runner import run

    outcome = run(catalogue.pipeline(name, profile.images), arguments, profile)
    if outcome.scribe:
        outcome.scribe.wait()
    return outcome


def _practice_beat(folder: Path):
    """Write a stiff beat, every hit on the grid and equally loud: what a machine would play."""
    import numpy as np
    from kfp import dsl

    from models.music.grid import TICKS_PER_STEP
    from models.music.midi import write_midi
    from models.music.notes import Take

    rows = [(36, s) for s in (0, 6, 8, 11)] + [(38, s) for s in (4, 12)] + [(42, s) for s in range(0, 16, 2)]
    rows += [(46, 14)]
    notes = [(key, 90, (bar * 16 + step) * TICKS_PER_STEP, 120) for bar in range(4) for key, step in rows]
    path = write_midi(folder / "stiff_beat.mid", Take(np.array(notes), 96), drums=True)
    return dsl.Dataset(name="midi", uri=str(path))


if __name__ == "__main__":
    sys.exit(main())
