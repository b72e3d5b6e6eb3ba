"""What there is to run: every pipeline in pipelines/ and every stage in components/, found by reading, not importing.

    entries()["slice-hits"]          Entry(kind="stage", module="components.hits", function="slice_hits", help="Cut …")
    entries()["slice-hits"].load()   imports it

A pipeline is a function under `@dsl.pipeline`, a stage one under `@stage`; its name here is its own with dashes, its
help the first line of its docstring. There is no list to keep.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib
import os
from pathlib import Path
from typing import Any, Literal

from models.music.config import nearest
from models.music.errors import BadConfig

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {"pipelines": ("dsl.pipeline", "pipeline"), "components": ("stage",)}


@dataclasses.dataclass(frozen=True)
class Entry:
    """One thing `jamflow run` can run."""

    name: str
    kind: Literal["pipeline", "stage"]
    module: str
    function: str
    help: str

    def load(self) -> Any:
        return getattr(importlib.import_module(self.module), self.function)


@functools.cache
def entries() -> dict[str, Entry]:
    """Find every pipeline and stage, pipelines first."""
    found: dict[str, Entry] = {}
    for room, decorators in ROOMS.items():
        for file in sorted((ROOT / room).glob("*.py")):
            text = file.read_text(encoding="utf-8")
            if any(f"@{name}" in text for name in decorators):
                for node in ast.parse(text).body:
                    if isinstance(node, ast.FunctionDef) and _is_marked(node, decorators):
                        entry = _entry(room, file, node)
                        found.setdefault(entry.name, entry)
    return found


def find(name: str) -> Entry:
    """Look a name up, forgiving underscores; a wrong one is told its nearest neighbour."""
    known = entries()
    wanted = name.replace("_", "-")
    if wanted not in known:
        raise BadConfig(f"{name}: no such pipeline or stage; {nearest(wanted, known)}. `jamflow list` shows them all.")
    return known[wanted]


def pipeline(name: str, images: str) -> Any:
    """Import a pipeline, or a stage as a pipeline of one, whose stages run on images below a prefix."""
    os.environ["JAMFLOW_IMAGES"] = images  # stages name their image when they are imported
    entry = find(name)
    component = entry.load()
    if entry.kind == "pipeline":
        return component
    from pipelines.alone import alone

    return alone(component)


def _is_marked(node: ast.FunctionDef, decorators: tuple[str, ...]) -> bool:
    for decorator in node.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        if ast.unparse(target) in decorators:
            return True
    return False


def _entry(room: str, file: Path, node: ast.FunctionDef) -> Entry:
    kind: Literal["pipeline", "stage"] = "pipeline" if room == "pipelines" else "stage"
    first = (ast.get_docstring(node) or "").split("\n")[0]
    return Entry(node.name.replace("_", "-"), kind, f"{room}.{file.stem}", node.name, first)
