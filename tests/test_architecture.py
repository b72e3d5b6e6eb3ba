"""What the house promises about itself."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("models", "backstage", "components", "pipelines", "serving", "realtime_client")
SOURCES = [file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))]
MAX_DOOR_LINES = 15
"""Beside the docstring, which is as long as the stage has flags."""


def _name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", [f for f in SOURCES if f.read_text().strip()], ids=_name)
def test_every_file_opens_with_what_it_is(file):
    assert ast.get_docstring(ast.parse(file.read_text()))


def _doors() -> list[tuple[str, ast.FunctionDef]]:
    found = []
    for file in sorted((ROOT / "components").glob("*.py")):
        functions = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)]
        doors = [f for f in functions if any(ast.unparse(d).startswith("stage") for d in f.decorator_list)]
        found += [(f"{file.stem}.{door.name}", door) for door in doors]
    return found


def test_a_component_is_a_door_not_a_room():
    doors = _doors()
    assert doors
    for name, door in doors:
        assert ast.get_docstring(door), f"{name} has no docstring, which is its help"
        body = door.body[-1].end_lineno - door.body[1].lineno + 1  # type: ignore[operator]
        assert body <= MAX_DOOR_LINES, f"{name} has {body} lines of body; a door has at most {MAX_DOOR_LINES}"


REALTIME_MAY = (
    "realtime_client",
    "models.music",
    "serving.contract",
    "serving.contracts",
    "serving.asker",
    "serving.client",
)
"""What the musician's machine stands on, beside the standard library and the packages of its extra."""


def strangers(source: str) -> list[str]:
    """The modules of ours that a file on the musician's machine imports and may not."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    ours = [name for name in found if name.split(".")[0] in ROOMS]
    return [name for name in ours if not any(f"{name}.".startswith(f"{may}.") for may in REALTIME_MAY)]


def test_the_musicians_machine_knows_the_wire_and_the_ground_floor_and_nothing_else():
    assert strangers("from serving.client import JamflowClient\nimport models.music.chords\nimport mido") == []
    assert strangers("def late():\n    from serving import deploy") == ["serving.deploy"]
    for file in (ROOT / "realtime_client").rglob("*.py"):
        assert strangers(file.read_text(encoding="utf-8")) == [], file


def test_the_makefile_is_a_table_of_contents():
    lines = (ROOT / "Makefile").read_text().splitlines()
    assert len(lines) < 60
    targets = [line for line in lines if re.match(r"[a-z]+:", line)]
    assert all("##" in line for line in targets), "every target has its line"


def test_the_ground_floor_and_the_wire_need_nothing_heavy():
    code = (
        "import sys, models.music.audio, models.music.midi, models.music.plots, models.music.config, models.music.chords,"
        " serving.contract;"
        "print([m for m in ('torch', 'mlflow', 'kfp', 'librosa', 'note_seq', 'matplotlib', 'soundfile') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_every_pinned_version_is_one_version():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[\w.]+", line) for line in lines), "no host, no path, no local version"
