"""What a look at a machine or a set-up found, and what to do about it: `jamflow doctor` and `jamflow jam doctor` say it alike.

Finding("MIDI", "missing", "no MIDI system", "start JACK, or modprobe snd-seq")
print("\n".join(told(findings)))
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from models.music.errors import JamflowError

MARKS = {"good": "✔", "optional": "-", "missing": "✘"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: Literal["good", "optional", "missing"]
    found: str
    advice: str = ""

    @classmethod
    def of(cls, what: str, error: JamflowError, state: Literal["optional", "missing"] = "missing") -> Finding:
        """Take an error's first sentence as what was found, and the rest as what to do."""
        found, _, advice = str(error).partition(". ")
        return cls(what, state, found, advice)


def told(findings: Iterable[Finding]) -> list[str]:
    """One line a finding, and what to do under those that want doing."""
    findings = list(findings)
    width = max((len(finding.what) for finding in findings), default=0)
    lines = []
    for finding in findings:
        lines.append(f"{MARKS[finding.state]} {finding.what:<{width}}  {finding.found}")
        if finding.advice:
            lines.append(f"  {'':<{width}}  → {finding.advice}")
    return lines
