"""`jamflow list`: every pipeline and stage with its line of help; --images: what each stage reaches, and its image."""

from __future__ import annotations

import os

from pipelines.catalogue import Entry, entries
from pipelines.flags import Flags


def main(argv: list[str]) -> int:
    """Print the catalogue."""
    flags = Flags(prog="jamflow list", description=__doc__)
    flags.add_argument("--images", action="store_true", help="show how many modules a stage reaches, and its image")
    if flags.read(argv).images:
        _show_images([entry for entry in entries().values() if entry.kind == "stage"])
        return 0
    for kind, title in (("pipeline", "Pipelines"), ("stage", "Stages (each runs alone too)")):
        print(f"{title}:")
        for entry in entries().values():
            if entry.kind == kind:
                print(f"  {entry.name:<22} {entry.help}")
    print("\n`jamflow run NAME --help` shows the flags of each.")
    return 0


def _show_images(stages: list[Entry]) -> None:
    from backstage.keys import source_tree
    from pipelines.settings import Profile

    os.environ["JAMFLOW_IMAGES"] = Profile.load().images  # stages name their image when they are imported
    everything = len(source_tree().modules)
    for entry in stages:
        stage = entry.load()
        print(f"  {entry.name:<22} {len(stage.reached):>4} of {everything} modules  {stage.full_image}")
