"""What running a function as a pipeline costs: a stage beside a bare call, a cached rerun, `--help`.

Run: python -m benchmarks.pipeline     (fails where a rerun is not answered by the cache alone, or a target is missed)
"""

import contextlib
import inspect
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from kfp import dsl
from kfp.dsl import Dataset, Input, Output

from backstage.keys import pins, source_tree, stage_key
from backstage.source import SOURCE_ROOT
from backstage.stage import stage
from pipelines.catalogue import entries
from pipelines.runner import run
from pipelines.settings import Profile

STAGES = 5
RERUN_TARGET_S, HELP_TARGET_S, KEYS_TARGET_S = 5.0, 1.0, 0.05
AS_A_COMMAND = """
import sys
from pipelines import catalogue, cli
catalogue.entries()["overhead"] = catalogue.Entry("overhead", "pipeline", "benchmarks.pipeline", "overhead", "")
sys.exit(cli.main(["run", "overhead", "--plain"]))
"""
"""`jamflow run overhead`, as if this pipeline lay in pipelines/."""
WORK_S = 0.05
"""How long each stage really works."""


@stage(image="python-ops")
def first(take: Output[Dataset], seconds: float = 0.05) -> int:
    """Lay down a take."""
    import time
    from pathlib import Path

    time.sleep(seconds)
    Path(take.path).write_text("take")
    return 1


@stage(image="python-ops")
def then(take: Input[Dataset], more: Output[Dataset], seconds: float = 0.05) -> int:
    """Add to it."""
    import time
    from pathlib import Path

    time.sleep(seconds)
    Path(more.path).write_text(Path(take.path).read_text() + "!")
    return 1


@dsl.pipeline(name="overhead")
def overhead(seconds: float = WORK_S):
    take = first(seconds=seconds).outputs["take"]
    for _ in range(STAGES - 1):
        take = then(take=take, seconds=seconds).outputs["more"]


def main() -> int:
    """Print one row a figure; return how many of the promises were broken."""
    with tempfile.TemporaryDirectory(prefix="jamflow-bench-") as home:
        os.environ["JAMFLOW_HOME"], os.environ["JAMFLOW_TRACKING_URI"] = home, "off"
        profile = Profile.load()
        fresh_s = _seconds(lambda: run(overhead, {}, profile, plain=True))
        cached_s = _seconds(lambda: run(overhead, {}, profile, plain=True))
        process_s = _median(
            lambda: subprocess.run([sys.executable, "-c", f"import time; time.sleep({WORK_S})"], check=True)
        )
        environment = {**os.environ, "PYTHONPATH": str(SOURCE_ROOT)}
        ask = lambda words: subprocess.run(words, check=True, capture_output=True, text=True, env=environment)  # noqa: E731
        began = time.perf_counter()
        rerun = ask([sys.executable, "-c", AS_A_COMMAND])
        rerun_s = time.perf_counter() - began
        help_s = _median(lambda: ask([sys.executable, "-m", "pipelines.cli", "--help"]))
        bare_s = _median(lambda: ask([sys.executable, "-c", "pass"]))
    keys_s = min(_keys_of_all_stages() for _ in range(3))
    stage_s = fresh_s / STAGES
    print(f"\n{'what':<46}{'seconds':>9}  {'peer in the same run':<34}{'ratio':>7}")
    for what, seconds, peer, peer_s in [
        (f"a stage that works {WORK_S * 1000:.0f} ms", stage_s, "the same work in a bare process", process_s),
        (f"overhead of a stage ({STAGES} in a row)", stage_s - WORK_S, "a stage", stage_s),
        (f"cached rerun of {STAGES} stages, in process", cached_s, "the first run", fresh_s),
        (f"cached rerun of {STAGES} stages, whole command", rerun_s, "target:", RERUN_TARGET_S),
        ("jamflow --help", help_s, "python -c pass", bare_s),
        ("jamflow --help", help_s, "target:", HELP_TARGET_S),
        ("the keys of all stages, processor time", keys_s, "target:", KEYS_TARGET_S),
    ]:
        print(f"{what:<46}{seconds:>9.3f}  {peer + f' {peer_s:.3f} s':<34}{seconds / peer_s:>7.2f}")
    cached = sum(line.split()[:1] == ["="] for line in rerun.stdout.splitlines())
    broken = [
        text
        for text, kept in (
            (f"{cached} of {STAGES} stages came from the cache", cached == STAGES),
            (f"a cached rerun took {rerun_s:.1f} s, not {RERUN_TARGET_S:g}", rerun_s <= RERUN_TARGET_S),
            (f"--help took {help_s:.1f} s, not {HELP_TARGET_S:g}", help_s <= HELP_TARGET_S),
        )
        if not kept
    ]
    for text in broken:
        print(f"broken: {text}", file=sys.stderr)
    return len(broken)


def _keys_of_all_stages() -> float:
    """Work them out from nothing; the wait for other processes is not theirs."""
    stages = [entry.load() for entry in entries().values() if entry.kind == "stage"]
    source_tree.cache_clear()
    pins.cache_clear()
    began = time.process_time()
    for each in stages:
        stage_key(inspect.getsource(each.python_func), each.image)
    return time.process_time() - began


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        action()
    return time.perf_counter() - began


def _median(action: Callable[[], object], times: int = 5) -> float:
    return statistics.median(_seconds(action) for _ in range(times))


if __name__ == "__main__":
    sys.exit(main())
