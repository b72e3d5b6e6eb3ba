"""Dataset snapshots in a folder or a bucket: every file with its sha256, none of them ever half there.

    digest = save_snapshot("grooves", "s3://data/grooves/v1")       # files first, manifest.json last
    fetch_snapshot("s3://data/grooves/v1", "here")                  # checked against the manifest, then renamed
    bring("s3://data/groove.zip", "here")                           # any of them, an archive, or a folder: one checked folder

A store that stumbles (503, a dropped line, a cut body) is asked again, after a random pause that grows, until a total
deadline. What asking again cannot cure ends at once in one line. boto3 reads the usual AWS_* variables;
AWS_ENDPOINT_URL_S3 points it to any other S3.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from backstage.stores import Store, Stumble, open_store
from models.music.archives import unpacked
from models.music.errors import StorageError
from models.music.files import MANIFEST, manifest_of, sha256, whole_file, whole_folder

DEADLINE_S = 600.0
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 20.0
T = TypeVar("T")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def save_snapshot(folder: str | Path, uri: str, deadline_s: float = DEADLINE_S) -> str:
    """Store every file of a folder below an address, the manifest last; return the manifest's digest."""
    folder, store, patience = Path(folder), open_store(uri), Patience(deadline_s)
    manifest = manifest_of(folder)
    if not manifest:
        raise StorageError(f"{folder}: no files to store. Check the path.")
    for name in manifest:
        patience.with_retries(lambda name=name: store.put(folder / name, name), f"{uri}/{name}")
    with tempfile.TemporaryDirectory() as scratch:
        written = Path(scratch, MANIFEST)
        written.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        patience.with_retries(lambda: store.put(written, MANIFEST), f"{uri}/{MANIFEST}")
        return sha256(written)


def fetch_snapshot(uri: str, target: str | Path, deadline_s: float = DEADLINE_S) -> Path:
    """Bring a snapshot to a folder that appears only when every file of it is there and as promised."""
    store, patience, target = open_store(uri), Patience(deadline_s), Path(target)
    with whole_folder(target) as part:
        patience.with_retries(lambda: store.get(MANIFEST, part / MANIFEST), f"{uri}/{MANIFEST}")
        manifest = json.loads((part / MANIFEST).read_text(encoding="utf-8"))
        for name, promised in manifest.items():
            file = _inside(part, name, uri)
            patience.with_retries(
                lambda name=name, file=file, promised=promised: _get_checked(store, name, file, promised),
                f"{uri}/{name}",
            )
    return target


def fetch_file(uri: str, target: str | Path, deadline_s: float = DEADLINE_S) -> Path:
    """Bring one file."""
    parent, _, key = uri.rstrip("/").rpartition("/")
    store = open_store(parent)
    with whole_file(target) as part:
        Patience(deadline_s).with_retries(lambda: store.get(key, part), uri)
    return Path(target)


def bring(source: str, target: str | Path) -> str:
    """Bring a dataset, wherever it is, to a folder that appears whole; return its manifest's digest."""
    target = Path(target)
    with tempfile.TemporaryDirectory(prefix="jamflow-") as scratch:
        if "://" not in source:
            _take_in(Path(source).expanduser(), target)
        elif source.lower().endswith(ARCHIVES):
            _take_in(fetch_file(source, Path(scratch, source.rpartition("/")[2])), target)
        else:
            fetch_snapshot(source, target)
    return sha256(target / MANIFEST)


def _take_in(place: Path, target: Path) -> None:
    single = place.is_file() and not place.name.lower().endswith(ARCHIVES)
    with whole_folder(target) as part:
        if single:
            shutil.copyfile(place, part / place.name)
        else:
            with unpacked(place) as folder:
                shutil.copytree(folder, part, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST))


class Patience:
    """Asks again after a growing, random pause, until one deadline for everything."""

    def __init__(self, deadline_s: float, chance: random.Random | None = None) -> None:
        self._allowed_s, self._end = deadline_s, time.monotonic() + deadline_s
        self._chance = chance or random.Random()

    def with_retries(self, action: Callable[[], T], what: str) -> T:
        """Do something until it works; when time is up, say what the last trouble was."""
        pause_s, tries = FIRST_PAUSE_S, 0
        while True:
            tries += 1
            try:
                return action()
            except Stumble as trouble:
                wait_s = self._chance.uniform(0, pause_s)
                if time.monotonic() + wait_s > self._end:
                    raise StorageError(
                        f"{what}: {trouble}; gave up after {tries} tries in {self._allowed_s:g} s. Try again later."
                    ) from trouble
                time.sleep(wait_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def _get_checked(store: Store, name: str, file: Path, promised: dict[str, Any]) -> None:
    store.get(name, file)
    if file.stat().st_size != promised["bytes"] or sha256(file) != promised["sha256"]:
        file.unlink()
        raise Stumble("what came differs from the manifest's sha256")


def _inside(folder: Path, name: str, uri: str) -> Path:
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise StorageError(f"{uri}: its manifest names {name!r}, outside the folder. Do not use this snapshot.")
    return file
