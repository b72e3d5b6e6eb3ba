"""Where the checkpoints of trainings lie until they end: a folder here, or a store that outlives the machine.

    with in_use(Path(work, "groove-12ab")) as folder: ...          # nobody else works there meanwhile
    with mirrored("s3://jamflow/training", "groove-12ab") as folder: ...  # brought from the store, copied back as it grows

Both leave everything when the block fails and nothing when it ends well. What nobody came back to for ABANDONED_S (14 days)
is removed by whoever comes by.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from backstage.storage import Patience, fetch_snapshot, save_snapshot
from backstage.stores import Store, open_store
from models.music.errors import StorageError
from models.music.files import MANIFEST
from models.music.locks import Held, alone

log = logging.getLogger(__name__)
ABANDONED_S = 14 * 86_400.0
LOOK_EVERY_S = 5.0
MARK, MARK_EVERY_S = "in-use", 3600.0
"""A file in every training's folder: what has none is not ours to remove."""
PATIENCE_S = 20.0
"""With the store, for each thing it is asked: a pod that is told to go has half a minute."""


@contextlib.contextmanager
def in_use(folder: Path) -> Iterator[Path]:
    """Hold a training's folder; a process that dies lets go of it, and whoever comes next takes over."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(alone(folder / MARK, patience_s=0))
        except Held as error:
            raise StorageError(
                f"{folder}: process {error.holder} trains there with the same data and settings."
                " Wait for it, or change the seed."
            ) from error
        for other in trainings(folder.parent):
            if age_s(other) > ABANDONED_S:
                forget(other)
        yield folder
        shutil.rmtree(folder, ignore_errors=True)


def trainings(work: Path) -> list[Path]:
    """List the trainings that left something in a folder, those at work included."""
    return sorted(folder for folder in work.iterdir() if (folder / MARK).is_file()) if work.is_dir() else []


def age_s(training: Path) -> float:
    """How long ago a training last wrote something."""
    return _age_s(file.stat().st_mtime for file in training.rglob("*"))


def forget(training: Path) -> bool:
    """Remove what a training left, unless it is at work."""
    try:
        with alone(training / MARK, patience_s=0):
            shutil.rmtree(training, ignore_errors=True)
    except Held:
        return False
    return True


@contextlib.contextmanager
def mirrored(uri: str, name: str) -> Iterator[Path]:
    """Give a temporary folder with the newest checkpoints that a store has, and copy every new one there."""
    _forget_abandoned(uri, name)
    with tempfile.TemporaryDirectory(prefix="jamflow-training-") as there:
        folder, ended = Path(there), threading.Event()
        mirror = _Mirror(f"{uri}/{name}", folder)
        mirror.bring()
        copying = threading.Thread(target=mirror.keep_copying, args=(ended,), daemon=True)
        copying.start()
        try:
            yield folder
        except BaseException:
            ended.set()
            copying.join()
            mirror.copy()
            raise
        ended.set()
        copying.join()
        mirror.forget()


class _Mirror:
    """Copies the newest checkpoint of every folder; there can be several, one for each network of a training."""

    def __init__(self, uri: str, folder: Path) -> None:
        self.uri, self.folder, self.store = uri, folder, open_store(uri)
        self.copied: set[str] = set()
        self.marked = 0.0

    def bring(self) -> None:
        """Fetch what is whole; a damaged one is passed over, a store that does not answer ends the training at once."""
        self.mark()
        for key in _written(self.store, self.uri):
            if key.endswith(f"/{MANIFEST}"):
                name = key.removesuffix(f"/{MANIFEST}")
                try:
                    fetch_snapshot(f"{self.uri}/{name}", self.folder / name, PATIENCE_S)
                    self.copied.add(name)
                except StorageError as error:
                    log.warning("passed over: %s", error)

    def keep_copying(self, ended: threading.Event) -> None:
        while not ended.wait(LOOK_EVERY_S):
            self.copy()

    def copy(self) -> None:
        """Store what is new and drop what it replaces; what fails now is tried again at the next look."""
        try:
            self.mark()
            for name in self.newest() - self.copied:
                save_snapshot(self.folder / name, f"{self.uri}/{name}", PATIENCE_S)
                older = {copied for copied in self.copied if Path(copied).parent == Path(name).parent}
                self.copied = self.copied - older | {name}
                _drop(
                    self.store, self.uri, [k for k in _written(self.store, self.uri) if k.rpartition("/")[0] in older]
                )
        except (StorageError, OSError) as error:  # a checkpoint may have been replaced under our hands
            log.warning("checkpoints not copied: %s", error)

    def newest(self) -> set[str]:
        """Name the newest whole checkpoint of each folder."""
        whole = sorted(file.parent for file in self.folder.rglob(f"step-*/{MANIFEST}"))
        return {step.relative_to(self.folder).as_posix() for step in {step.parent: step for step in whole}.values()}

    def mark(self) -> None:
        """Tell those who clean up that somebody works here."""
        if time.time() - self.marked > MARK_EVERY_S:
            with tempfile.NamedTemporaryFile() as mark:
                Patience(PATIENCE_S).with_retries(lambda: self.store.put(Path(mark.name), MARK), f"{self.uri}/{MARK}")
            self.marked = time.time()

    def forget(self) -> None:
        with contextlib.suppress(StorageError):  # the training is done; what stays will count as abandoned
            _drop(self.store, self.uri, _written(self.store, self.uri))


def _forget_abandoned(uri: str, name: str) -> None:
    """Drop what lies below an address under other names and was not written to for long."""
    store = open_store(uri)
    trainings: dict[str, dict[str, float]] = {}
    for key, when in _written(store, uri).items():
        trainings.setdefault(key.partition("/")[0], {})[key] = when
    for training, keys in trainings.items():
        if training != name and f"{training}/{MARK}" in keys and _age_s(keys.values()) > ABANDONED_S:
            _drop(store, uri, keys)


def _written(store: Store, uri: str) -> dict[str, float]:
    return Patience(PATIENCE_S).with_retries(store.written, uri)


def _drop(store: Store, uri: str, keys: Iterable[str]) -> None:
    """Manifests go first: what is half dropped must not look whole."""
    for key in sorted(keys, key=lambda key: not key.endswith(MANIFEST)):
        Patience(PATIENCE_S).with_retries(lambda key=key: store.drop(key), f"{uri}/{key}")


def _age_s(written: Iterable[float]) -> float:
    return time.time() - max(written)
