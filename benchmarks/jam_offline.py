"""What people, random chord tones and a Markov chain score on real leads.  Run: python -m benchmarks.jam_offline

On WJazzD, POP909 and OpenEWLD of ../shared, or on the practice room's solos where there are none; every tune in one split.
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from pathlib import Path

from models.jam.markov import PARTS, taught
from models.jam.offline import compare, table
from models.jam.prepare import Preparing, prepare
from models.practice.solos import write_solos

REAL = Path(__file__).resolve().parents[2] / "shared/data/piano_midi"
BY_TUNE = r"(?P<style>[^/]+)/(?:[^_/]+_)?(?P<piece>[^/]+?)(?:-\d+)?"


def main() -> None:
    with tempfile.TemporaryDirectory() as there:
        source = REAL if REAL.is_dir() else write_solos(Path(there, "solos"), 120, seed=1)
        roles = prepare(source, Path(there, "roles"), Preparing(naming=BY_TUNE))
        print({name: told for name, told in roles.summary.items() if name != "left_out_files"})
        began = time.perf_counter()
        markov = taught(roles["train"], roles["valid"])
        doubts = {part: counts.doubt for part, counts in markov.counts.items()}
        print(f"Markov: {time.perf_counter() - began:.0f} s; doubts {doubts}, {markov.by_steps} by steps")
        print(table(compare(roles, {}, markov=markov)))
        by_style = defaultdict(list)
        for sample in roles["test"]:
            by_style[sample.style].append(sample)
        for style, samples in by_style.items():
            notes = sum(len(sample.lead) for sample in samples)
            told = [markov.nats(sample) for sample in samples]
            parts = {part: sum(each[part] for each in told) / notes for part in PARTS}
            shown = ", ".join(f"{part} {nats:.3f}" for part, nats in parts.items())
            print(f"{style}: {notes} notes, {sum(parts.values()):.3f} nats a note ({shown})")


if __name__ == "__main__":
    main()
