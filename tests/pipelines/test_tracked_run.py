"""One run, tracked in a real MLflow on SQLite, read back through MLflow's own client."""

import warnings

import numpy as np
import pytest
from kfp import dsl
from kfp.dsl import Dataset, Input, Output

from backstage.pipeline_run import PipelineRun
from backstage.stage import stage
from pipelines.runner import run
from pipelines.settings import Profile


@stage(image="python-audio")
def lay_down(take: Output[Dataset], bars: int = 3) -> str:
    """Lay a take down."""
    from pathlib import Path

    from backstage.tracking import log_audio, log_metrics, log_picture
    from models.music.plots import picture

    folder = Path(take.path)
    folder.mkdir()
    for bar in range(bars):
        log_metrics({"timing_ms": 10.0 / (bar + 1), "swing": 0.6}, step=bar)
    with picture(folder / "timing.png", title="Timing") as axes:
        axes.plot([1, 2, 3])
    log_picture("Timing by bar", folder / "timing.png")
    (folder / "take.wav").write_bytes(b"RIFF----WAVE")
    log_audio("The take", folder / "take.wav")
    return "laid down"


@stage(image="python-audio")
def listen(take: Input[Dataset]) -> int:
    """Listen to it."""
    from pathlib import Path

    return len(list(Path(take.path).iterdir()))


@dsl.pipeline(name="session")
def session(bars: int = 3):
    listen(take=lay_down(bars=bars).outputs["take"])


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAMFLOW_HOME", str(tmp_path_factory.mktemp("tracked")))
        profile = Profile.load()
        outcome = run(session, {"bars": 3}, profile)
        assert outcome.scribe is not None
        assert outcome.scribe.wait(timeout=100) == 0, (outcome.folder / "scribe.txt").read_text()
    return profile, outcome


@pytest.fixture(scope="module")
def pages(tracked):
    profile, _ = tracked
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from serving.store import open_store

        client = open_store(profile.mlflow_uri)
        experiment = client.get_experiment_by_name("session")
        found = {page.info.run_name: page for page in client.search_runs([experiment.experiment_id])}
    return client, found


def test_every_stage_has_a_page_below_the_runs_own(tracked, pages):
    _, outcome = tracked
    found = dict(pages[1])
    parent = found.pop(outcome.folder.name)
    assert set(found) == {"lay-down", "listen"}
    for page in found.values():
        assert page.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert page.info.status == "FINISHED"
        assert len(page.data.tags["mlflow.source.git.commit"]) >= 40
        assert page.data.tags["image"].startswith("localhost/jamflow/python-audio:")
    assert parent.data.params == {"bars": "3"}
    assert len(found["listen"].data.tags["data.take"]) == 64


def test_numbers_over_time_pictures_sounds_and_the_machine_are_kept(pages):
    client, found = pages
    page = found["lay-down"].info.run_id
    history = client.get_metric_history(page, "timing_ms")
    assert [(m.step, m.value) for m in history] == [(0, 10.0), (1, 5.0), (2, pytest.approx(10 / 3))]
    assert "system/process_memory_megabytes" in found["lay-down"].data.metrics
    assert [f.path for f in client.list_artifacts(page, "pictures")] == ["pictures/picture-Timing-by-bar.png"]
    assert [f.path for f in client.list_artifacts(page, "audios")] == ["audios/audio-The-take.wav"]


def test_the_report_holds_everything_and_asks_nothing_of_the_network(tracked, pages):
    _, outcome = tracked
    client, found = pages
    report = outcome.report.read_text()
    assert "data:image/png;base64,iVBOR" in report
    assert "data:audio/wav;base64," in report
    assert "Timing by bar" in report
    for outside in ("http://", "https://", "<script", "<link", "@import", "url("):
        assert outside not in report
    assert "report.html" in [f.path for f in client.list_artifacts(found[outcome.folder.name].info.run_id)]


def test_a_cached_stage_shows_what_it_logged_and_leaves_mlflow_alone(tracked):
    profile, _ = tracked
    again = run(session, {"bars": 3}, profile)
    assert again.scribe is None
    assert {s.state for s in again.run.stages} == {"cached"}
    assert "Timing by bar" in again.report.read_text()
    assert np.isclose(PipelineRun.load(again.folder).stages[0].record.metrics()["timing_ms"], 10 / 3)  # type: ignore[union-attr]
