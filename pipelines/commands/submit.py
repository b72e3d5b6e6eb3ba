"""`jamflow submit NAME [flags]`: run a pipeline on the cluster of the profile (JAMFLOW_PROFILE=cluster, JAMFLOW_KFP_HOST).

jamflow submit train-groove --preset studio --data s3://data/groove --wait
"""

from __future__ import annotations

from pipelines import catalogue
from pipelines.flags import Flags, add_flags, chosen


def main(argv: list[str]) -> int:
    """Submit what the first word names."""
    if not argv or argv[0] in ("-h", "--help"):
        print(__doc__)
        return 0
    from pipelines.cluster import submit
    from pipelines.settings import Profile

    profile = Profile.load()
    name = catalogue.find(argv[0]).name
    pipeline = catalogue.pipeline(name, profile.images)
    parser = Flags(prog=f"jamflow submit {name}", description=pipeline.description or "")
    add_flags(parser, pipeline)
    parser.add_argument("--no-cache", action="store_true", help="run every stage, whatever the cluster's cache knows")
    parser.add_argument("--wait", metavar="MINUTES", type=float, help="wait so long for the end")
    values = parser.read(argv[1:])
    arguments = chosen(pipeline, values)
    submitted = submit(pipeline, arguments, profile, cached=not values.no_cache, wait_minutes=values.wait)
    print(f"run      {submitted.run_id}\nstate    {submitted.state}\npage     {submitted.page}")
    return 0 if submitted.state not in ("FAILED", "CANCELED") else 1
