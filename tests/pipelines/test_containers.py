"""The same definition in its own image, where a Docker engine holds it (`make images`)."""

import contextlib
import os
from pathlib import Path

import pytest
from kfp import dsl
from kfp.dsl import Dataset, Input, Output

from backstage.stage import stage
from components.common import fetch_dataset
from models.music.errors import StageFailed
from pipelines.runner import run
from pipelines.settings import Profile

pytestmark = pytest.mark.slow


@stage(image="python-ops")
def write_down(song: Output[Dataset]) -> str:
    """Write a song down, and say which Python did."""
    import sys
    from pathlib import Path

    Path(song.path).write_text("la la la")
    return sys.prefix


@stage(image="python-ops")
def sing(song: Input[Dataset], loudly: bool = False) -> int:
    """Sing it."""
    from pathlib import Path

    from backstage.tracking import log_metrics

    if loudly:
        raise RuntimeError("the neighbours called")
    words = len(Path(song.path).read_text().split())
    log_metrics({"words": words})
    return words


@dsl.pipeline(name="recital")
def recital(loudly: bool = False) -> int:
    return sing(song=write_down().outputs["song"], loudly=loudly).output  # type: ignore[return-value]


@pytest.fixture
def boxed(home, monkeypatch) -> Profile:
    docker = pytest.importorskip("docker")
    engine_socket = Path(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://"))
    if not engine_socket.is_socket():  # asked anyway, docker's client leaves an open socket behind
        pytest.skip("needs a Docker engine; none listens here")
    try:
        with contextlib.closing(docker.from_env()) as engine:
            built = engine.images.get(fetch_dataset.full_image)  # reaches all that the stages here do
            for each in (write_down, sing):
                built.tag(*each.full_image.rsplit(":", 1))
    except docker.errors.DockerException as error:
        pytest.skip(f"needs a Docker engine that holds {fetch_dataset.full_image}, from `make images` ({error})")
    monkeypatch.setenv("JAMFLOW_RUNNER", "containers")
    monkeypatch.setenv("JAMFLOW_TRACKING_URI", "off")
    return Profile.load()


def test_stages_run_in_their_image_and_the_cache_holds(boxed):
    outcome = run(recital, {}, boxed)
    assert outcome.outputs == {"Output": 3}
    assert outcome.run.stages[0].number == ("", "/opt/venv"), "the image's Python, not ours"
    assert outcome.run.stages[1].record
    assert outcome.run.stages[1].record.metrics() == {"words": 3.0}
    assert {s.state for s in run(recital, {}, boxed).run.stages} == {"cached"}


def test_a_stage_that_fails_in_its_image_is_a_failure_with_its_cause(boxed):
    with pytest.raises(StageFailed, match="sing: RuntimeError: the neighbours called"):
        run(recital, {"loudly": True}, boxed)
