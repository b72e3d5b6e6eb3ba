"""`@stage`: one function, one KFP component, one image whose tag is the key of what the stage reaches.

    @stage(image="python-audio")
    def slice_hits(drums: Input[Dataset], hits: Output[Dataset], max_hits: int = 64) -> int:
        \"\"\"Cut a drum stem into de-duplicated one-shots.

        Args:
            drums: A drum stem, file or folder.
            max_hits: Keep at most so many hits.

        Returns:
            one-shots
        \"\"\"
        from models.drums.slicing import slice_folder
        return slice_folder(drums.path, hits.path, max_hits)

"Returns:" names what comes back, the way the screen and the report will: "1145 one-shots"; the key of a figure that the
stage logs stands for that figure. The function stays importable and callable: `slice_hits.python_func(...)`. It is a lightweight component, so its source
travels to wherever it runs; what it imports is in the image, and the tag tells KFP's cache when that has changed. A
gate returns one value: conditions on named outputs are silently false in KFP's local runner. One line of
`from __future__ import annotations` is allowed here, though KFP itself does not understand it.
"""

from __future__ import annotations

import functools
import inspect
import os
import typing
from collections.abc import Callable
from typing import Any, Literal

import docstring_parser
from kfp.dsl import component_factory, pipeline_task, python_component

from backstage.keys import DOOR, reached, stage_key
from backstage.source import STAGE_KEY
from models.music.errors import BadConfig

Image = Literal["python-ops", "python-audio", "python-torch"]
DEFAULT_IMAGES = "localhost/jamflow"


def stage(
    image: Image, gpu: bool = False, retries: int = 0, cached: bool = True
) -> Callable[[Callable[..., Any]], Stage]:
    """Make a function a pipeline stage on one of our images; `cached=False` for stages that change the world."""

    def decorate(function: Callable[..., Any]) -> Stage:
        return Stage(function, image, gpu=gpu, retries=retries, cached=cached)

    return decorate


class Stage(python_component.PythonComponent):
    """A KFP component that carries its own GPU, retry and cache settings into every pipeline that uses it."""

    def __init__(self, function: Callable[..., Any], image: Image, *, gpu: bool, retries: int, cached: bool) -> None:
        if image not in typing.get_args(Image):
            raise BadConfig(f"{function.__name__}: image is {image!r}; there are {', '.join(typing.get_args(Image))}.")
        body = inspect.getsource(function)
        self.reached, self.full_image = reached(body), image_name(image, stage_key(body, image))
        function.__annotations__ = typing.get_type_hints(function, include_extras=True)
        component = component_factory.create_component_from_func(
            function, base_image=self.full_image, install_kfp_package=False
        )
        _say_what_returns(component.component_spec, function)
        super().__init__(_behind_our_door(component.component_spec), function)
        self.image, self.gpu, self.retries, self.cached = image, gpu, retries, cached
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> pipeline_task.PipelineTask:
        task = super().__call__(*args, **kwargs)
        if self.retries:
            task.set_retry(num_retries=self.retries, backoff_duration="2s", backoff_factor=2.0)
        if self.gpu:
            _ask_for_gpu(task)
        if not self.cached:
            task.set_caching_options(enable_caching=False)
        return task


def image_name(image: str, key: str) -> str:
    """Name the image of a dependency set; where images live is a setting of the profile (JAMFLOW_IMAGES)."""
    return f"{os.environ.get('JAMFLOW_IMAGES') or DEFAULT_IMAGES}/{image}:{key}"


def _say_what_returns(spec: Any, function: Callable[..., Any]) -> None:
    """Describe the one return value by the docstring's "Returns:", which KFP itself leaves out."""
    told = docstring_parser.parse(function.__doc__ or "").returns
    if told and told.description and component_factory.SINGLE_OUTPUT_NAME in (spec.outputs or {}):
        spec.outputs[component_factory.SINGLE_OUTPUT_NAME].description = " ".join(told.description.split())


def _behind_our_door(spec: Any) -> Any:
    """Start KFP's executor through backstage.door, which keeps the record, the cause and the proof of success.

    The executor's name stays in the command: by it KFP knows a lightweight component.
    """
    container = spec.implementation.container
    key, executor = container.image.rpartition(":")[2], component_factory.EXECUTOR_MODULE
    ours = f"{STAGE_KEY}={key} python3 -m {DOOR} {executor}"
    container.command = [part.replace(f"python3 -m {executor}", ours) for part in container.command]
    return spec


def _ask_for_gpu(task: pipeline_task.PipelineTask) -> None:
    from kfp import kubernetes

    task.set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(1)
    kubernetes.add_toleration(task, key="nvidia.com/gpu", operator="Exists", effect="NoSchedule")
    kubernetes.empty_dir_mount(task, volume_name="shm", mount_path="/dev/shm", medium="Memory")
