"""`jamflow clean`: remove what runs, trainings and downloads have left, oldest first.

jamflow clean --dry-run             what would go
jamflow clean                       all that nobody touched for a week
jamflow clean --older-than 0        all that nobody works with

Registered models, champions among them, the server's repository and the registry are never touched; neither is what a
run that is going on goes on from. What a run leaves is also its cache: the same run will work again instead.
"""

from __future__ import annotations

from pipelines.flags import Flags, number
from pipelines.leftovers import leftovers
from pipelines.settings import Profile

DAY_S, MB = 86_400.0, 1e6


def main(argv: list[str]) -> int:
    parser = Flags(prog="jamflow clean", description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="show what would go, remove nothing")
    parser.add_argument(
        "--older-than", type=number, default=7.0, metavar="DAYS", help="since it was last written to [7]"
    )
    given = parser.read(argv)
    profile = Profile.load()
    old = [left for left in leftovers(profile) if left.age_s >= given.older_than * DAY_S]
    gone = [left for left in old if given.dry_run or left.remove()]
    for left in gone:
        print(f"{left.age_s / DAY_S:7.1f} days  {left.size / MB:9.1f} MB  {left.kind:<9}{left.path.name}")
    kept = f"; {len(old) - len(gone)} in use" if len(old) > len(gone) else ""
    verb = "would go" if given.dry_run else "removed"
    print(f"{len(gone)} folders, {sum(left.size for left in gone) / MB:.1f} MB {verb}{kept}.")
    return 0
