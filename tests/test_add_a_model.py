"""docs/add-a-model.md, followed to the letter in a copy of the house: a new family is trained, gated, served and asked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

from models.music.midi import write_midi
from models.music.notes import Take
from serving.triton_files import expected_folder

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("models", "backstage", "components", "pipelines", "serving", "realtime_client", "images")
PAGE = (ROOT / "docs" / "add-a-model.md").read_text(encoding="utf-8")
OWN_FILE = re.compile(r"^`([\w/.]+)`\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TOUCHED = re.compile(
    r"^(?:At the imports of|In its) `[^`]+`:\n\n```(?:python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
README_LINES = 1
MAX_TOUCHED = 10
TICKS = 360


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the house with the page's family in it, and a Python that finds this copy first, inside Triton too."""
    place = tmp_path_factory.mktemp("copy")
    for room in ROOMS:
        shutil.copytree(ROOT / room, place / "house" / room, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "constraints.txt"):
        shutil.copyfile(ROOT / file, place / "house" / file)
    for name, code in OWN_FILE.findall(PAGE):
        target = place / "house" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        assert not target.exists(), f"{name} is there already: the page may only add files"
        target.write_text(code, encoding="utf-8")
    imported, entry = TOUCHED.findall(PAGE)
    record = place / "house" / "serving" / "families.py"
    text = record.read_text(encoding="utf-8")
    text = text.replace("from serving.contracts.roles", f"{imported}from serving.contracts.roles", 1)
    head, tail = text.rsplit("        Family(\n", 1)
    record.write_text(f"{head}{entry}        Family(\n{tail}", encoding="utf-8")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], check=True)
    packages = sysconfig.get_path("purelib", vars={"base": str(place / "venv"), "platbase": str(place / "venv")})
    Path(packages, "house.pth").write_text(f"{place / 'house'}\n{sysconfig.get_path('purelib')}\n")
    jamflow = place / "venv" / "bin" / "jamflow"
    jamflow.write_text(f"#!{place}/venv/bin/python\nimport sys\nfrom pipelines.cli import main\nsys.exit(main())\n")
    jamflow.chmod(0o755)
    return place


@pytest.fixture
def steady_beats(copy: Path) -> None:
    notes = [(42, 90, TICKS * hit, 60) for hit in range(64)]
    write_midi(copy / "beats" / "steady.mid", Take(np.array(notes), 100), drums=True)


@pytest.mark.timeout(600)
def test_the_page_from_its_first_block_to_its_last(copy: Path, steady_beats: None):
    environment = {
        **os.environ,
        "HOME": str(copy),
        "JAMFLOW_HOME": str(copy / ".jamflow"),
        "JAMFLOW_TRITON": str(expected_folder()),
        "PATH": f"{copy / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    environment.pop("PYTHONPATH", None)

    def type_in(command: list[str]) -> str:
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    try:
        said = [type_in(line.split()) for commands in COMMANDS.findall(PAGE) for line in commands.splitlines()]
        assert re.search(r"served +version 1 at 127\.0\.0\.1", said[-1])
        assert re.search(r"version 1 +champion +error [0-9.]+ ticks", said[-1])
        onsets = list(map(int, type_in(["python", "house/ask.py"]).split()))
    finally:
        type_in(["jamflow", "serve", "--stop"])
    assert onsets == pytest.approx([0, TICKS, 2 * TICKS, 3 * TICKS], abs=TICKS // 10)


def test_hardly_a_line_is_touched_outside_the_familys_own_files():
    touched = [line for block in TOUCHED.findall(PAGE) for line in block.splitlines() if line.strip()]
    assert len(TOUCHED.findall(PAGE)) == 2, "the imports and the entry of the record"
    assert len(touched) + README_LINES <= MAX_TOUCHED
    print(f"lines touched outside the new family's own files: {len(touched) + README_LINES}")
