"""The key of a stage: the digest of all that can change its answer but its own body, which KFP's cache sees itself.

    stage_key("from models.groove.train import teach\\n…", "python-torch")     # "3f0c9a61d2e47b85"

It is the image's tag, so that KFP's cache knows when imported code has changed, and the lineage tag in MLflow. What
counts: the modules that the body and the door reach, the data in their folders, and the pins of the stage's image.
"""

from __future__ import annotations

import functools
import hashlib
import re
import tomllib
from pathlib import Path

from backstage.closure import SourceTree
from backstage.source import SOURCE_ROOT

ROOMS = ("models", "serving", "backstage", "components")
"""What a stage can import: the rooms above them never run inside one."""
DOOR = "backstage.door"
LAYER = re.compile(r"^FROM (\S+) AS (\S+)\n((?:(?!FROM ).*\n)*)", re.MULTILINE)


def stage_key(body: str, image: str, root: Path = SOURCE_ROOT) -> str:
    """Sixteen digits for what a stage's body reaches and its image brings."""
    tree = source_tree(root)
    return _digits(tree.digest(tree.files(reached(body, root))), *pins(image, root))


def reached(body: str, root: Path = SOURCE_ROOT) -> frozenset[str]:
    """The modules of ours that a stage may run: those its body reaches, and those of the door it comes through."""
    return source_tree(root).reached(f"{body}\nimport {DOOR}\n")


@functools.cache
def source_tree(root: Path = SOURCE_ROOT) -> SourceTree:
    """Our source as it was when this process first asked."""
    return SourceTree(root, ROOMS)


@functools.cache
def pins(image: str, root: Path = SOURCE_ROOT) -> tuple[str, ...]:
    """What an image is made of: its steps, what they install, and every pin but those that only other images name.

    A pin that no extra names comes along with some package, and counts for every image.
    """
    files = [root / "pyproject.toml", root / "constraints.txt", root / "images" / "Dockerfile"]
    if not all(file.is_file() for file in files):
        return ()  # installed from a wheel: there is one set of versions, for all stages
    project, constraints, dockerfile = (file.read_text(encoding="utf-8") for file in files)
    told = tomllib.loads(project)["project"]
    extras = {"base": told["dependencies"], **told["optional-dependencies"]}
    steps = _steps(dockerfile, image)
    words = " ".join(re.findall(r"/opt/jamflow/install ([^&\n]+)", steps)).replace("'", "").split()
    installed = [wanted for word in words for wanted in extras.get(word, [word])]
    elsewhere = {_package(w) for extra in extras.values() for w in extra} - {_package(w) for w in installed}
    return (steps, *installed, *(pin for pin in constraints.splitlines() if _package(pin) not in elsewhere))


def _steps(dockerfile: str, target: str) -> str:
    """The steps of a target, and of all that it stands on."""
    layers = {name: (below, steps) for below, name, steps in LAYER.findall(dockerfile)}
    told = ""
    while target in layers:
        target, steps = layers[target]
        told += steps
    return told


def _package(requirement: str) -> str:
    """The name alone: tritonclient of tritonclient[grpc], of numpy>=1.26 numpy."""
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].replace("_", "-").lower()


def _digits(*told: str) -> str:
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]
