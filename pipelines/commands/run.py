"""`jamflow run NAME [flags]`: run a pipeline, or one stage, on this machine.

jamflow run slice-hits --drums drums.wav --out-dir out
jamflow run train-groove --preset tiny
"""

from __future__ import annotations

from pathlib import Path

from pipelines import catalogue
from pipelines.flags import Flags, add_flags, chosen
from pipelines.settings import Profile

SHOWN = 16


def main(argv: list[str]) -> int:
    """Run what the first word names."""
    if not argv or argv[0] in ("-h", "--help"):
        print(__doc__)
        print("Names: " + ", ".join(catalogue.entries()))
        return 0
    name = catalogue.find(argv[0]).name
    profile = Profile.load()
    pipeline = catalogue.pipeline(name, profile.images)
    parser = _parser(name, pipeline)
    values = parser.read(argv[1:])

    from pipelines.publish import NUMBERED, publish, take_out
    from pipelines.runner import run

    arguments = chosen(pipeline, values)
    outcome = run(pipeline, arguments, profile, cached=not values.no_cache, plain=values.plain)
    written = publish(outcome.paths(), Path(values.out_dir)) if values.out_dir else []
    if values.out:
        written.append(take_out(outcome.paths(), Path(values.out)))
    for label, value in outcome.results().items():
        print(f"{'result' if label == 'Output' else label:<9}{value}")
    written.sort(key=lambda path: not NUMBERED.match(path.name))  # this run's own files before the kit's many
    for path in written[:SHOWN]:
        print(f"wrote    {path}")
    if len(written) > SHOWN:
        print(f"         and {len(written) - SHOWN} more in {written[0].parent}")
    for label, path in {} if written else outcome.paths().items():
        print(f"output   {label}: {path}")
    for note in outcome.notes():
        print(f"note     {note}")
    print(f"report   {outcome.report}\nlog      {outcome.folder / 'log.txt'}\nmlflow   {profile.mlflow_command}")
    if outcome.scribe and catalogue.find(name).kind == "pipeline":
        outcome.scribe.wait()  # a lone stage is a matter of seconds and does not wait for MLflow
    return 0


def _parser(name: str, pipeline) -> Flags:
    parser = Flags(prog=f"jamflow run {name}", description=pipeline.description or "")
    ours = parser.add_argument_group("running")
    add_flags(parser, pipeline)
    if "--out-dir" not in parser._option_string_actions:
        ours.add_argument("--out-dir", metavar="DIR", help="bring the outputs here; numbered files get the next number")
    if "--out" not in parser._option_string_actions:
        ours.add_argument(
            "--out", metavar="FILE", help="bring the one file that comes out here, in place of what is there"
        )
    ours.add_argument("--no-cache", action="store_true", help="run every stage, whatever the cache knows")
    ours.add_argument("--plain", action="store_true", help="plain lines instead of a live table")
    return parser
