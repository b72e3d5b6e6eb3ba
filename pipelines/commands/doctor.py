"""`jamflow doctor`: look at this machine, and say what to do about what is missing.

Exit code 1 only when something is missing that nothing works without.
"""

from __future__ import annotations

import sys

from pipelines.flags import Flags
from pipelines.settings import Profile

MARKS = {"good": "✔", "optional": "-", "missing": "✘"}


def main(argv: list[str]) -> int:
    """Print one line a finding, and what to do under those that want doing."""
    Flags(prog="jamflow doctor", description=__doc__).read(argv)
    from pipelines.checkup import examine

    findings = examine(Profile.load())
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        print(f"{MARKS[finding.state]} {finding.what:<{width}}  {finding.found}")
        if finding.advice:
            print(f"  {'':<{width}}  → {finding.advice}")
    missing = [finding.what for finding in findings if finding.state == "missing"]
    if missing:
        print(f"\nNecessary and not there: {', '.join(missing)}.", file=sys.stderr)
        return 1
    print("\nEverything necessary is there.")
    return 0
