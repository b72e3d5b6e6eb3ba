"""Every benchmark, one after another.  Run: make bench

python -m benchmarks triton onsets      only these
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent
INNER = {
    "__init__",
    "__main__",
    "ear_fit",
    "near_real",
    "open_unmix",
    "recordings",
    "strange_kits",
    "tempo_fit",
    "truth",
    "wear",
}
LONG = {"kills", "soak"}
"""Not benchmarks but endurance: `make soak`, `python -m benchmarks.kills --help`."""


def main(wanted: list[str]) -> int:
    """Run each as a process of its own, so that none warms or crowds another; count those that failed."""
    known = sorted(file.stem for file in FOLDER.glob("*.py") if file.stem not in INNER | LONG)
    failed = []
    for name in wanted or known:
        began = time.monotonic()
        print(f"\n=== {name} " + "=" * (70 - len(name)), flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=FOLDER.parent, check=False).returncode:
            failed.append(name)
        print(f"--- {time.monotonic() - began:.0f} s", flush=True)
    if failed:
        print(f"\nbelow their bars, or not run: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
