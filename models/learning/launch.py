"""Teach on several processes, each with a GPU of its own where there are some.

Run: torchrun --standalone --nproc-per-node 2 -m models.learning.launch models.groove.train:teach corpus=prepared
out=groove-model size=studio            (as many name=value as the function takes; without torchrun it teaches alone)

Add --events FOLDER for TensorBoard's event files. Killed or interrupted, the same command goes on where it was.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import yaml

from models.learning.event_files import EventFiles
from models.learning.processes import leads, together
from models.music.config import nearest
from models.music.errors import BadConfig, JamflowError


def launch(teach: Callable[..., Any], settings: dict[str, Any], events: str = "") -> Any:
    """Call a family's `teach` in the process group that torchrun's environment names, and leave the group after."""
    with together(), ExitStack() as stack:
        if events and leads():
            settings = {**settings, "callbacks": [stack.enter_context(EventFiles(events))]}
        return teach(**settings)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m models.learning.launch", description=__doc__.split("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("teach", help="module:function, for example models.groove.train:teach")
    parser.add_argument("settings", nargs="*", help="name=value, what the function takes")
    parser.add_argument("--events", default="", help="folder for TensorBoard's event files")
    flags = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        teach = function_at(flags.teach)
        launch(teach, settings_for(teach, flags.settings), flags.events)
    except JamflowError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def function_at(place: str) -> Callable[..., Any]:
    """Find `module:function`."""
    module, _, name = place.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise BadConfig(f"{place}: {error}. Write module:function, as models.groove.train:teach.") from error


def settings_for(teach: Callable[..., Any], given: Sequence[str]) -> dict[str, Any]:
    """Read name=value, each value as YAML would; a name that the function does not take is told its neighbour."""
    known = list(inspect.signature(teach).parameters)
    settings = {}
    for setting in given:
        name, equals, value = setting.partition("=")
        if not equals or name not in known:
            raise BadConfig(f"{setting}: write name=value; {nearest(name, known)}.")
        settings[name] = yaml.safe_load(value)
    return settings


if __name__ == "__main__":
    sys.exit(main())
