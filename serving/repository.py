"""Triton's model repository: a folder of models, each version whole or not there.

repository = Repository(home / "repository")
repository.add(GROOVE, 3, model_folder)        # groove/3/{model.py, model/…, manifest.json}; model.py names our backend
repository.serve(GROOVE, [3])                  # groove/config.pbtxt names the versions Triton shall serve
repository.sweep("groove", keep={2, 3})         # what dead processes and old champions have left
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection
from pathlib import Path

from models.music.errors import BadInput
from models.music.files import MANIFEST, check_folder, is_whole, read_json, sha256, whole_folder, write_text
from serving.contract import ModelContract, check_name, config_pbtxt

HALF = re.compile(r"\..*\.(part|old)")
"""What models/music/files.py calls a thing until it is whole."""
REHEARSAL = "_rehearsal_"
"""Between a model's name and something random: what a version is called that plays for the first time."""
BACKEND = "from serving.backends.{}.model import TritonPythonModel  # noqa: F401 - Triton asks for it\n"
"""A version's model.py: the code is the installed one, so that no version keeps a copy that grows old."""


class Repository:
    """The folder Triton reads. `name` defaults to the contract's; another serves a rehearsal beside it."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder).resolve()

    def add(
        self,
        contract: ModelContract,
        version: int,
        model_folder: str | os.PathLike[str],
        name: str | None = None,
        backend: str | os.PathLike[str] | None = None,
    ) -> Path:
        """Copy a model and its backend in as one version; it appears when it is complete."""
        target, code = self._version(name or contract.name, version), BACKEND.format(contract.name)
        if backend is not None:
            code = Path(backend).read_text(encoding="utf-8")
        if _is_whole(target, code, _digest(Path(model_folder))):
            return target
        with whole_folder(target, replace=True) as part:
            shutil.copytree(model_folder, part / "model", ignore=shutil.ignore_patterns("__pycache__"))
            write_text(part / "model.py", code)
            (
                part / "__pycache__"
            ).touch()  # a file, so that the stub cannot make the folder: Triton would see a changed model
        return target

    def serve(self, contract: ModelContract, versions: list[int], name: str | None = None) -> bool:
        """Name the versions that the next load shall serve; return whether it named others before."""
        name = name or contract.name
        for version in versions:
            check_folder(self._version(name, version))
        newest = self._version(name, max(versions)) / "model"
        told = config_pbtxt(contract, versions, name, contract.told(newest))
        if self._told(name) == told:
            return False
        write_text(self.folder / name / "config.pbtxt", told)
        return True

    def versions(self, name: str) -> list[int]:
        """The whole versions of a model, oldest first."""
        folder = self.folder / check_name(name)
        return sorted(int(each.name) for each in folder.iterdir() if each.name.isdigit()) if folder.is_dir() else []

    def holds(self, name: str, version: int, digest: str | None = None) -> bool:
        """Whether a whole version is here, on today's backend, and the model of this digest, if one is given."""
        return _is_whole(self._version(name, version), BACKEND.format(name), digest)

    def looks_whole(self, name: str, version: int) -> bool:
        """Whether every file of a version is here in its size: a look that costs nothing."""
        folder = self._version(name, version)
        try:
            promised = read_json(folder / MANIFEST).items()
            return all((folder / file).stat().st_size == entry["bytes"] for file, entry in promised)
        except (OSError, BadInput, KeyError, TypeError, AttributeError):
            return False

    def models(self) -> list[str]:
        """The models that have a configuration to load."""
        return sorted(config.parent.name for config in self.folder.glob("*/config.pbtxt"))

    def remove(self, name: str) -> None:
        """Take a model away."""
        shutil.rmtree(self.folder / check_name(name), ignore_errors=True)

    def rehearsals(self, name: str) -> list[str]:
        """The folders in which versions of a model rehearse, or did."""
        return sorted(folder.name for folder in self.folder.glob(f"{check_name(name)}{REHEARSAL}*"))

    def sweep(self, name: str, keep: Collection[int]) -> None:
        """Take away all versions but these, and everything half written."""
        for each in (self.folder / check_name(name)).glob("*"):
            if (each.name.isdigit() and int(each.name) not in keep) or HALF.fullmatch(each.name):
                shutil.rmtree(each, ignore_errors=True)
                each.unlink(missing_ok=True)

    def _told(self, name: str) -> str | None:
        try:
            return (self.folder / check_name(name) / "config.pbtxt").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def _version(self, name: str, version: int) -> Path:
        if version < 1:
            raise BadInput(f"{name}: version {version}; versions count from 1.")
        return self.folder / check_name(name) / str(version)


def _is_whole(version: Path, code: str, digest: str | None) -> bool:
    if not is_whole(version) or (version / "model.py").read_text(encoding="utf-8") != code:
        return False
    return digest is None or _digest(version / "model") == digest


def _digest(model: Path) -> str | None:
    return sha256(model / MANIFEST) if (model / MANIFEST).is_file() else None
