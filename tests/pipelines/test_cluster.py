"""The way to a cluster, as far as it can be walked without one."""

import copy

import pytest
import yaml
from kfp import dsl
from kfp.dsl import Dataset, Input, Output

from backstage.quoting import unquoted
from backstage.stage import stage
from models.music.errors import BadConfig, Unavailable
from pipelines import catalogue, cli, cluster
from pipelines.intermediate import check, compiled
from pipelines.settings import Profile


@stage(image="python-ops")
def collect(takes: Output[Dataset], source: str) -> int:
    """Collect takes."""
    return 1


@stage(image="python-torch", gpu=True, retries=1)
def learn(takes: Input[Dataset], steps: int) -> float:
    """Learn from them."""
    return 0.1


@dsl.pipeline(name="study")
def study(source: str, steps: int = 100, where: dict = {}):
    collected = collect(source=source)
    with dsl.If(collected.outputs["Output"] > 0):
        learn(takes=collected.outputs["takes"], steps=steps)


@pytest.fixture
def far(kubeflow, home, monkeypatch) -> Profile:
    monkeypatch.setenv("JAMFLOW_PROFILE", "cluster")
    monkeypatch.setenv("JAMFLOW_KFP_HOST", kubeflow.url)
    monkeypatch.setenv("JAMFLOW_TRACKING_URI", "http://mlflow:5000")
    monkeypatch.setenv("JAMFLOW_PIPELINE_ROOT", "s3://bucket/pipelines")
    monkeypatch.setattr(cluster, "ASK_EVERY_S", 0.05)
    return Profile.load()


def test_a_pipeline_is_submitted_and_waited_for(far, kubeflow):
    submitted = cluster.submit(study, {"source": "s3://data/grooves", "steps": 7}, far, wait_minutes=1)
    assert submitted.state == "SUCCEEDED"
    [run] = kubeflow.runs.values()
    told = {"registry": "http://mlflow:5000", "artifacts": "", "repository": "", "server": "", "work": ""}
    assert run["runtime_config"] == {
        "parameters": {"source": "s3://data/grooves", "steps": 7, "where": told},
        "pipeline_root": "s3://bucket/pipelines",
    }
    executor = run["pipeline_spec"]["pipeline_spec"]["deploymentSpec"]["executors"]["exec-learn"]["container"]
    assert {"name": "JAMFLOW_TRACK_TO", "value": "http://mlflow:5000"} in executor["env"]
    platform = run["pipeline_spec"]["platform_spec"]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert platform["exec-learn"]["tolerations"][0]["key"] == "nvidia.com/gpu"
    assert [e["display_name"] for e in kubeflow.experiments.values()] == ["study"]


def test_what_a_backend_would_read_in_a_value_goes_there_quoted(far, kubeflow):
    cluster.submit(study, {"source": "s3://data/{{$.inputs.parameters['steps']}}", "steps": 7}, far)
    [run] = kubeflow.runs.values()
    told = run["runtime_config"]["parameters"]["source"]
    assert "{" not in told
    assert unquoted(told) == "s3://data/{{$.inputs.parameters['steps']}}"


def test_a_submission_goes_through_the_command_line_too(far, kubeflow, capsys):
    assert cli.main(["submit", "fetch-dataset", "--source", "s3://data/grooves"]) == 0
    assert f"page     {kubeflow.url}/#/runs/details/" in capsys.readouterr().out


def test_files_of_this_machine_are_not_submitted(far, kubeflow, tmp_path, capsys):
    (tmp_path / "beat.mid").write_bytes(b"MThd")
    assert cli.main(["submit", "play-groove", "--midi", str(tmp_path / "beat.mid")]) == 1
    said = capsys.readouterr().err
    assert "midi: a cluster cannot see this machine's files. Run play-groove here by `jamflow run`" in said
    assert not kubeflow.runs


def test_what_the_cluster_refuses_is_one_line(far):
    with pytest.raises(Unavailable, match=r"refused study \(400 .*unknown parameters.*stepps"):
        cluster.submit(study, {"source": "s3://data/grooves", "stepps": 7}, far)


def test_compiling_writes_what_a_backend_can_read(tmp_path, capsys):
    assert cli.main(["compile", "fetch-dataset", "--out", str(tmp_path / "fetch.yaml")]) == 0
    documents = list(yaml.safe_load_all((tmp_path / "fetch.yaml").read_text()))
    check(documents)
    assert "localhost/jamflow/python-ops:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda d: d[0].update(tempo=120), "tempo"),
        (lambda d: d[0]["root"]["dag"]["tasks"]["collect"]["componentRef"].update(name="comp-x"), "comp-x is missing"),
        (lambda d: d[0]["components"]["comp-collect"].update(executorLabel="exec-x"), "exec-x is missing"),
        (
            lambda d: d[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-learn"].update(x=1),
            "exec-learn",
        ),
        (lambda d: d[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"].update({"exec-y": {}}), "exec-y"),
    ],
)
def test_a_spoilt_pipeline_is_found_out_without_a_cluster(far, spoil, told):
    documents = copy.deepcopy(compiled(study, far))
    spoil(documents)
    with pytest.raises(BadConfig, match=told):
        check(documents)


@pytest.mark.parametrize("name", sorted(catalogue.entries()))
def test_everything_there_is_compiles_for_a_cluster(name, far):
    documents = compiled(catalogue.pipeline(name, "registry.example/band"), far)
    assert all(
        "python" in executor["container"]["image"]
        for executor in documents[0]["deploymentSpec"]["executors"].values()
        if "container" in executor
    )
