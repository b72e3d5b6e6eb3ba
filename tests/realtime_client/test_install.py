"""`pip install "jamflow[realtime]"` in an empty environment: what a musician's machine gets, and what it does not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("models", "backstage", "components", "pipelines", "serving", "realtime_client")
HEAVY = ("torch", "mlflow", "kfp", "librosa", "transformers", "scipy", "matplotlib", "boto3", "onnxruntime", "symusic")
ONLY_ON_UNIX = ("fcntl", "resource", "pwd", "grp", "termios")
LIVE = sorted(
    ".".join(file.relative_to(ROOT).with_suffix("").parts)
    for file in (ROOT / "realtime_client").rglob("*.py")
    if file.name
    not in ("__init__.py", "device_Jamflow.py", "assistant.py")  # FL's own, and one with an extra of its own
)


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of an environment that holds jamflow[realtime] alone."""
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        pytest.skip(
            "uv is not in this environment: wheels that pip fetched cannot be installed again without a network"
        )
    there = tmp_path_factory.mktemp("install")
    source = there / "source"
    for name in ("pyproject.toml", "README.md", "constraints.txt"):
        source.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, source)
    for room in ROOMS:
        shutil.copytree(ROOT / room, source / room, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, there / "venv"], check=True)
    python = there / "venv/bin/python"
    wanted = [f"jamflow[realtime] @ {source.as_uri()}", "-c", source / "constraints.txt"]
    done = subprocess.run(
        [uv, "pip", "install", "-q", "--offline", "--python", python, *wanted], capture_output=True, text=True
    )
    if done.returncode and "network" in done.stderr:
        pytest.skip(f"not every wheel is in uv's cache: {done.stderr.strip().splitlines()[-1]}")
    assert not done.returncode, done.stderr
    return python


def said(python, *words, there=None):
    done = subprocess.run([python, *words], capture_output=True, text=True, cwd=there)
    assert not done.returncode, done.stderr
    return done.stdout


def test_nothing_heavy_comes_along(python, tmp_path):
    there = f"import importlib.util as u; print([name for name in {HEAVY} if u.find_spec(name)])"
    assert said(python, "-c", there, there=tmp_path) == "[]\n"


def test_every_part_of_the_live_client_is_there_even_where_unix_is_not(python, tmp_path):
    code = f"import importlib, sys; sys.modules.update(dict.fromkeys({ONLY_ON_UNIX!r}))\n"
    code += f"for name in {LIVE!r}: importlib.import_module(name)"
    said(python, "-c", code, there=tmp_path)


def test_the_command_explains_itself(python, tmp_path):
    shown = said(python, python.with_name("jamflow"), "jam", "--help", there=tmp_path)
    assert all(word in shown for word in ("devices", "calibrate", "play", "demo", "report", "panic", "doctor"))
