"""Deploy in a process that is killed at an instant of one's choice: what a power cut leaves, made to order."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from subprocess import run
from typing import Any

from serving.where import Where

INSTANTS: dict[str, tuple[str, str, str]] = {
    "in the download": ("serving.registry", "Registry", "download"),
    "in the rehearsal": ("serving.deploy", "_Stage", "_play"),
    "in the load": ("serving.control", "Control", "load"),
    "after the switch": ("serving.deploy", "_Stage", "switch"),
    "in the crowning": ("serving.registry", "Registry", "_crown"),
}
"""After these steps; in the load, when the server has begun with it; in the crowning, when it is written down."""


def deploy_killed(instant: str, where: Where, name: str, version: int) -> None:
    """Deploy and die at an instant."""
    told = json.dumps(asdict(where))
    ended = run(
        [sys.executable, __file__, instant, told, name, str(version)], cwd=Path(__file__).parents[2], check=False
    )
    assert ended.returncode == 9, f"it was to die {instant}"


def _after(step: Callable[..., Any]) -> Callable[..., Any]:
    def last(self, *args, **more):
        step(self, *args, **more)
        os._exit(9)

    return last


def _loading(load: Callable[..., Any]) -> Callable[..., Any]:
    """The server goes on loading what nobody waits for any more."""

    def last(self, name, *args):
        if name != "groove":
            return load(self, name, *args)
        threading.Thread(target=load, args=(self, name), daemon=True).start()
        while "LOADING" not in self.index()[name].values():
            time.sleep(0.02)
        os._exit(9)

    return last


def _crowning(crown: Callable[..., Any]) -> Callable[..., Any]:
    def last(self, name):
        if self._tags(name).get("crowning"):
            os._exit(9)
        crown(self, name)

    return last


if __name__ == "__main__":
    import importlib

    sys.path.insert(0, os.getcwd())
    module, owner, step = INSTANTS[sys.argv[1]]
    kind = getattr(importlib.import_module(module), owner)
    dying = {"load": _loading, "_crown": _crowning}.get(step, _after)
    setattr(kind, step, dying(getattr(kind, step)))
    from serving.deploy import put_to_work

    put_to_work(sys.argv[3], int(sys.argv[4]), Where.told(json.loads(sys.argv[2])))
