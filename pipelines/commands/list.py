"""`jamflow list`: every pipeline and stage with its line of help."""

from __future__ import annotations

from pipelines.catalogue import entries
from pipelines.flags import Flags


def main(argv: list[str]) -> int:
    """Print the catalogue."""
    Flags(prog="jamflow list", description=__doc__).read(argv)
    for kind, title in (("pipeline", "Pipelines"), ("stage", "Stages (each runs alone too)")):
        print(f"{title}:")
        for entry in entries().values():
            if entry.kind == kind:
                print(f"  {entry.name:<22} {entry.help}")
    print("\n`jamflow run NAME --help` shows the flags of each.")
    return 0
