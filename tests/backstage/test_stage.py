from pathlib import Path

import pytest
from kfp import compiler, dsl
from kfp.dsl import Dataset, Input, Output

from backstage.keys import stage_key
from backstage.stage import image_name, stage
from models.music.errors import BadConfig


@stage(image="python-torch", gpu=True, retries=2)
def rehearse(songs: Input[Dataset], model: Output[Dataset], steps: int = 10) -> float:
    """Rehearse a while.

    Args:
        songs: What to rehearse.
        steps: How long.

    Returns:
        hours
    """
    Path(model.path).write_text(Path(songs.path).read_text() * steps)
    return steps / 2


@stage(image="python-ops", cached=False)
def perform() -> int:
    """Perform, which is different every night."""
    return 1


@dsl.pipeline(name="tour")
def tour():
    perform()


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = str(path)


def test_a_stage_is_still_the_function_it_was(tmp_path):
    (tmp_path / "songs").write_text("la")
    assert rehearse.python_func(Folder(tmp_path / "songs"), Folder(tmp_path / "model"), steps=3) == 1.5
    assert (tmp_path / "model").read_text() == "lalala"
    assert rehearse.__doc__
    assert rehearse.__doc__.startswith("Rehearse a while.")


def test_its_image_is_ours_and_tagged_by_what_it_reaches():
    container = rehearse.component_spec.implementation.container
    assert container
    key = stage_key("def rehearse(): ...", "python-torch")
    assert container.image == f"localhost/jamflow/python-torch:{key}", "its body reaches nothing, and is KFP's to see"
    assert f"JAMFLOW_STAGE_KEY={key} python3 -m backstage.door " in str(container.command)
    assert "pip install" not in str(container.command)
    assert (rehearse.component_spec.inputs or {})["songs"].description == "What to rehearse."


def test_what_comes_back_is_named_by_the_docstring():
    assert (rehearse.component_spec.outputs or {})["Output"].description == "hours"
    assert (perform.component_spec.outputs or {})["Output"].description is None


def test_the_prefix_of_images_is_a_setting_and_an_unknown_image_is_refused(monkeypatch):
    monkeypatch.setenv("JAMFLOW_IMAGES", "registry.example/band")
    assert image_name("python-ops", "abc") == "registry.example/band/python-ops:abc"
    with pytest.raises(BadConfig, match="python-cobol"):
        stage(image="python-cobol")(lambda: None)  # type: ignore[arg-type]


def test_gpu_retries_and_caching_travel_with_the_stage(tmp_path):
    @dsl.pipeline(name="practice")
    def practice(songs: Input[Dataset]):
        rehearse(songs=songs)

    compiler.Compiler().compile(practice, str(tmp_path / "practice.yaml"))  # type: ignore[arg-type]
    spec = practice.pipeline_spec
    [task] = spec.root.dag.tasks.values()
    resources = spec.deployment_spec["executors"]["exec-rehearse"]["container"]["resources"]
    assert task.retry_policy.max_retry_count == 2
    assert resources["accelerator"]["resourceType"] == "nvidia.com/gpu"
    assert "nvidia.com/gpu" in (tmp_path / "practice.yaml").read_text().split("---")[1], "a toleration for GPU nodes"
    [night] = tour.pipeline_spec.root.dag.tasks.values()
    assert not night.caching_options.enable_cache
