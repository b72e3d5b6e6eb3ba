"""Deploy in a process that is killed at an instant of one's choice: what a power cut leaves, made to order."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from subprocess import run
from typing import Any

from serving.where import Where

INSTANTS: dict[str, tuple[str, str, str]] = {
    "in the download": ("serving.registry", "Registry", "download"),
    "in the rehearsal": ("serving.deploy", "_Stage", "_play"),
    "after the switch": ("serving.deploy", "_Stage", "switch"),
    "in the crowning": ("serving.registry", "Registry", "_crown"),
}


def deploy_killed(instant: str, where: Where, name: str, version: int) -> None:
    """Deploy and die right after the step of that name; in the crowning, when it is written down and nothing has moved."""
    told = json.dumps(asdict(where))
    ended = run(
        [sys.executable, __file__, instant, told, name, str(version)], cwd=Path(__file__).parents[2], check=False
    )
    assert ended.returncode == 9, f"it was to die {instant}"


def _dying(step: Callable[..., Any], *, before: bool) -> Callable[..., Any]:
    def last(self, *args, **more):
        if not before:
            step(self, *args, **more)
            os._exit(9)
        if self._tags("groove").get("crowning"):
            os._exit(9)
        step(self, *args, **more)

    return last


if __name__ == "__main__":
    import importlib

    sys.path.insert(0, os.getcwd())
    module, owner, step = INSTANTS[sys.argv[1]]
    kind = getattr(importlib.import_module(module), owner)
    setattr(kind, step, _dying(getattr(kind, step), before=step == "_crown"))
    from serving.deploy import put_to_work

    put_to_work(sys.argv[3], int(sys.argv[4]), Where.told(json.loads(sys.argv[2])))
