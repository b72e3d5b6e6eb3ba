"""`jamflow deploy NAME [VERSION]`: put a registered model into service, without anybody noticing.

jamflow deploy groove            the challenger: the version trained last
jamflow deploy groove 4          version 4
"""

from __future__ import annotations

from pipelines.flags import Flags
from pipelines.settings import Profile


def main(argv: list[str]) -> int:
    """Deploy a version to the running server, or to one started for the purpose."""
    parser = Flags(prog="jamflow deploy", description=__doc__)
    parser.add_argument("name", metavar="NAME", help="the model, e.g. groove")
    parser.add_argument("version", metavar="VERSION", nargs="?", type=int, help="which version [the challenger]")
    values = parser.read(argv)
    profile = Profile.load()
    from serving.deploy import put_to_work
    from serving.endpoint import Endpoint

    done = put_to_work(values.name, values.version, profile.where)
    server = Endpoint.of(profile.where.server)
    where = f"at {server.grpc_url}" if server else "as soon as `jamflow serve` runs"
    print(f"{done.name} {done.version} is champion and served {where}; before: {done.previous or 'none'}.")
    return 0
