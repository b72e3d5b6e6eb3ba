"""Let an assistant see and turn a live session, over the Model Context Protocol on standard input and output.

An assistant's program starts it: command `jamflow`, arguments `mcp`. What may change the session is refused until it is
armed, by its tool `arm` or by --armed.
"""

from __future__ import annotations

from pipelines.flags import Flags, number


def main(argv: list[str]) -> int:
    parser = Flags(prog="jamflow mcp", description=__doc__)
    parser.add_argument(
        "--armed", type=number, default=0.0, metavar="MINUTES", help="may change things from the beginning [0]"
    )
    given = parser.read(argv)
    from realtime_client import assistant

    assistant.main(given.armed)
    return 0
