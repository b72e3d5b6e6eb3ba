"""`jamflow status`: recent runs, the champions, and the running server."""

from __future__ import annotations

import datetime

from backstage.pipeline_run import RUN_FILE, PipelineRun
from pipelines.flags import Flags
from pipelines.settings import Profile


def main(argv: list[str]) -> int:
    """Print three short lists."""
    parser = Flags(prog="jamflow status", description=__doc__)
    parser.add_argument("--runs", type=int, default=8, metavar="N", help="how many runs to show [8]")
    values = parser.read(argv)
    profile = Profile.load()
    print("Runs")
    print("\n".join(_runs(profile, values.runs)) or "  none yet. `jamflow list` shows what can be run.")
    print("Champions")
    print("\n".join(_champions(profile)) or "  none yet.")
    print("Server")
    print(_server(profile))
    return 0


def _runs(profile: Profile, how_many: int) -> list[str]:
    files = sorted(profile.runs.glob(f"*/{RUN_FILE}"), key=lambda file: file.stat().st_mtime, reverse=True)
    lines = []
    for file in files[:how_many]:
        run = PipelineRun.load(file.parent)
        state = "stopped" if run.state == "running" and not run.alive else run.state
        began = datetime.datetime.fromtimestamp(run.began_s).strftime("%d %b %H:%M")
        why = f"  {run.failed.name}: {run.failed.cause}" if run.failed else ""
        lines.append(f"  {state:<8} {began}  {run.seconds:8.1f} s  {run.run}{why}")
    return lines


def _champions(profile: Profile) -> list[str]:
    if not profile.has_registry:
        return []
    from serving.registry import CHALLENGER, CHAMPION, Registry

    registry = Registry.at(profile.where)
    lines = []
    for name in registry.names():
        champion, challenger = registry.alias(name, CHAMPION), registry.alias(name, CHALLENGER)
        beside = f"  challenger {challenger}" if challenger else ""
        lines.append(f"  {name:<16} {champion or 'no champion'}{beside}")
    return lines


def _server(profile: Profile) -> str:
    from serving.endpoint import Endpoint
    from serving.look import look

    endpoint = Endpoint.running(profile.serving)
    return f"  {look(endpoint).spoken}" if endpoint else "  not running. `jamflow serve` starts it."
