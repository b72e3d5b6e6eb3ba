"""What running a function as a pipeline costs: a stage beside a bare call, a cached rerun, `--help`.

Run: python -m benchmarks.pipeline
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


def main() -> None:
    """Print one row a figure."""
    with tempfile.TemporaryDirectory(prefix="jamflow-bench-") as home:
        os.environ["JAMFLOW_HOME"], os.environ["JAMFLOW_TRACKING_URI"] = home, "off"
        profile = Profile.load()
        fresh_s = _seconds(lambda: run(overhead, {}, profile, plain=True))
        cached_s = _seconds(lambda: run(overhead, {}, profile, plain=True))
        process_s = _median(
            lambda: subprocess.run([sys.executable, "-c", f"import time; time.sleep({WORK_S})"], check=True)
        )
        environment = {**os.environ, "PYTHONPATH": str(SOURCE_ROOT)}
        command = [
            sys.executable,
            "-m",
            "pipelines.cli",
            "run",
            "fetch-dataset",
            "--source",
            str(SOURCE_ROOT / "pipelines"),
        ]
        ask = lambda words: subprocess.run(words, check=True, capture_output=True, env=environment)  # noqa: E731
        ask(command)
        rerun_s = _seconds(lambda: ask(command))
        help_s = _median(lambda: ask([sys.executable, "-m", "pipelines.cli", "--help"]))
        bare_s = _median(lambda: ask([sys.executable, "-c", "pass"]))
    keys_s = min(_keys_of_all_stages() for _ in range(3))
    stage_s = fresh_s / STAGES
    print(f"\n{'what':<46}{'seconds':>9}  {'peer in the same run':<34}{'ratio':>7}")
    for what, seconds, peer, peer_s in [
        (f"a stage that works {WORK_S * 1000:.0f} ms", stage_s, "the same work in a bare process", process_s),
        (f"overhead of a stage ({STAGES} in a row)", stage_s - WORK_S, "a stage", stage_s),
        (f"cached rerun of {STAGES} stages, in process", cached_s, "the first run", fresh_s),
        ("cached rerun from the shell, whole command", rerun_s, "target: 5 s", 5.0),
        ("jamflow --help", help_s, "python -c pass", bare_s),
        ("jamflow --help", help_s, "target: 1 s", 1.0),
        ("the keys of all stages, processor time", keys_s, "target: 0.05 s", 0.05),
    ]:
        print(f"{what:<46}{seconds:>9.3f}  {peer + f' {peer_s:.3f} s':<34}{seconds / peer_s:>7.2f}")


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
    main()
