"""`jamflow doctor`: look at this machine, and say what to do about what is missing.

Exit code 1 only when something is missing that nothing works without.
"""

from __future__ import annotations

import sys

from models.music import finding
from models.music.finding import Finding
from pipelines.flags import Flags
from pipelines.settings import Profile


def main(argv: list[str]) -> int:
    """Look at everything."""
    Flags(prog="jamflow doctor", description=__doc__).read(argv)
    from pipelines.checkup import examine

    return told(examine(Profile.load()))


def told(findings: list[Finding]) -> int:
    """Print what was found; the exit code says whether anything necessary is missing."""
    print("\n".join(finding.told(findings)))
    missing = [found.what for found in findings if found.state == "missing"]
    if missing:
        print(f"\nNecessary and not there: {', '.join(missing)}.", file=sys.stderr)
        return 1
    print("\nEverything necessary is there.")
    return 0
