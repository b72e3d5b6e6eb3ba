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
from backstage.tracking import log_note
from models.music.errors import BadInput, JamflowError, StorageError
from models.music.files import MANIFEST, manifest_of, read_manifest, sha256, whole_file, whole_folder
from models.music.intake import ARCHIVES, check_room, take_in

DEADLINE_S = 600.0
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 20.0
T = TypeVar("T")


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
        manifest = read_manifest(part / MANIFEST)
        check_room(uri, len(manifest), sum(promised["bytes"] for promised in manifest.values()), part)
        for name, promised in manifest.items():
            patience.with_retries(
                lambda name=name, promised=promised: _get_checked(store, name, part / name, promised),
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


def bring(source: str, target: str | Path, find: Callable[[Path], object] = lambda folder: None) -> str:
    """Bring a dataset, wherever it is, to a folder that appears whole; return its manifest's digest.

    `find` looks for what should be in it; its complaint then names the source and not our copy.
    """
    if not source.strip():
        raise BadInput("the source is empty. Give a folder, an archive, or an address (file://, s3://).")
    target = Path(target)
    with tempfile.TemporaryDirectory(prefix="jamflow-") as scratch:
        if "://" not in source:
            _take_in(Path(source).expanduser(), target)
        elif source.lower().endswith(ARCHIVES):
            _take_in(fetch_file(source, Path(scratch, source.rpartition("/")[2])), target)
        else:
            fetch_snapshot(source, target)
    try:
        find(target)
    except JamflowError as error:
        shutil.rmtree(target)
        raise type(error)(str(error).replace(str(target), source)) from error
    return sha256(target / MANIFEST)


def _take_in(place: Path, target: Path) -> None:
    with whole_folder(target) as part:
        links = take_in(place, part)
    if links:
        named = ", ".join(links[:3]) + (" and more" if len(links) > 3 else "")
        log_note(f"{place}: {len(links)} links lead out of it or to folders and were left out ({named}).")


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
