"""`jamflow rollback NAME`: serve the previous champion of a model again."""

from __future__ import annotations

from pipelines.flags import Flags
from pipelines.settings import Profile


def main(argv: list[str]) -> int:
    """Bring the previous champion back, on the running server or on one started for the purpose."""
    parser = Flags(prog="jamflow rollback", description=__doc__)
    parser.add_argument("name", metavar="NAME", help="the model, e.g. groove")
    values = parser.read(argv)
    from serving.deploy import bring_back

    done = bring_back(values.name, Profile.load().where)
    print(f"{done.name} {done.version} is champion again; before: {done.previous}.")
    return 0
