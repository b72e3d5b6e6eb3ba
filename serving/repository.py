"""Triton's model repository: a folder of models, each version whole or not there.

repository = Repository(home / "repository")
repository.add(GROOVE, 3, model_folder)        # groove/3/{model.py, model/…, manifest.json}; model.py names our backend
repository.serve(GROOVE, [3])                  # groove/config.pbtxt names the versions Triton shall serve
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from models.music.errors import BadInput
from models.music.files import check_folder, is_whole, whole_folder, write_text
from serving.contract import ModelContract, check_name, config_pbtxt

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
        if _is_whole(target, code):
            return target
        with whole_folder(target, replace=True) as part:
            shutil.copytree(model_folder, part / "model", ignore=shutil.ignore_patterns("__pycache__"))
            write_text(part / "model.py", code)
            (
                part / "__pycache__"
            ).touch()  # a file, so that the stub cannot make the folder: Triton would see a changed model
        return target

    def serve(self, contract: ModelContract, versions: list[int], name: str | None = None) -> None:
        """Name the versions that the next load shall serve."""
        name = name or contract.name
        for version in versions:
            check_folder(self._version(name, version))
        write_text(self.folder / check_name(name) / "config.pbtxt", config_pbtxt(contract, versions, name))

    def versions(self, name: str) -> list[int]:
        """The whole versions of a model, oldest first."""
        folder = self.folder / check_name(name)
        return sorted(int(each.name) for each in folder.iterdir() if each.name.isdigit()) if folder.is_dir() else []

    def holds(self, name: str, version: int) -> bool:
        """Whether a whole version is here, on today's backend."""
        return _is_whole(self._version(name, version), BACKEND.format(name))

    def models(self) -> list[str]:
        """The models that have a configuration to load."""
        return sorted(config.parent.name for config in self.folder.glob("*/config.pbtxt"))

    def remove(self, name: str, version: int | None = None) -> None:
        """Take one version away, or the whole model."""
        shutil.rmtree(
            self.folder / check_name(name) if version is None else self._version(name, version), ignore_errors=True
        )

    def _version(self, name: str, version: int) -> Path:
        if version < 1:
            raise BadInput(f"{name}: version {version}; versions count from 1.")
        return self.folder / check_name(name) / str(version)


def _is_whole(version: Path, code: str) -> bool:
    return is_whole(version) and (version / "model.py").read_text(encoding="utf-8") == code
