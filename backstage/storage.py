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
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from models.music.archives import unpacked
from models.music.errors import BadConfig, StorageError
from models.music.files import MANIFEST, manifest_of, sha256, whole_file, whole_folder

DEADLINE_S = 600.0
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 20.0
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
CREDENTIALS = {
    "InvalidAccessKeyId": "the key id in AWS_ACCESS_KEY_ID is not known there",
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID",
    "ExpiredToken": "AWS_SESSION_TOKEN has expired",
    "InvalidToken": "AWS_SESSION_TOKEN is not valid",
    "AccessDenied": "AWS_ACCESS_KEY_ID may not do this",
    "403": "AWS_ACCESS_KEY_ID may not do this",
    "RequestTimeTooSkewed": "this machine's clock differs from the store's; set the clock",
}
PASSING = {"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "ThrottlingException"}


class Stumble(Exception):
    """The store failed in a way that may pass."""


class Store(Protocol):
    """Somewhere that keeps files by key."""

    where: str

    def get(self, key: str, target: Path) -> None:
        """Copy a key to a file; raise Stumble when it is worth asking again."""
        ...

    def put(self, source: Path, key: str) -> None:
        """Copy a file to a key; raise Stumble when it is worth asking again."""
        ...


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


class NotThere(StorageError):
    """Nothing lies at an address."""


def open_store(uri: str) -> Store:
    """Choose the store by the address: file:// (or a plain path) or s3://."""
    parts = urlsplit(str(uri))
    if parts.scheme in ("", "file"):
        return _Folder(Path(unquote(parts.path) if parts.scheme else uri).expanduser())
    if parts.scheme == "s3":
        if not parts.netloc:
            raise BadConfig(f"{uri}: no bucket. Write s3://bucket/folder.")
        return _Bucket(parts.netloc, parts.path.strip("/"))
    raise BadConfig(f"{uri}: {parts.scheme}:// is not a store known here; there are file:// and s3://.")


class Patience:
    """Asks again after a growing, random pause, until one deadline for everything."""

    def __init__(self, deadline_s: float, chance: random.Random | None = None) -> None:
        self._allowed_s, self._end = deadline_s, time.monotonic() + deadline_s
        self._chance = chance or random.Random()

    def with_retries(self, action: Callable[[], None], what: str) -> None:
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


class _Folder:
    """A folder as a store."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.where = folder, str(folder)

    def get(self, key: str, target: Path) -> None:
        source = self._folder / key
        if not source.is_file():
            raise NotThere(f"{source}: no such file. Check the address.")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)

    def put(self, source: Path, key: str) -> None:
        with whole_file(self._folder / key) as part:
            shutil.copyfile(source, part)


class _Bucket:
    """An S3 bucket as a store."""

    def __init__(self, bucket: str, prefix: str) -> None:
        import boto3.session
        from botocore.config import Config

        self._bucket, self._prefix, self.where = bucket, prefix, f"s3://{bucket}/{prefix}"
        config = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1})
        self._s3: Any = boto3.session.Session().client("s3", config=config)

    def get(self, key: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)

        def download() -> None:
            body = self._s3.get_object(Bucket=self._bucket, Key=self._key(key))["Body"]
            with open(target, "wb") as file:
                shutil.copyfileobj(body, file, 1 << 20)

        self._asked(download, key)

    def put(self, source: Path, key: str) -> None:
        self._asked(lambda: self._s3.upload_file(str(source), self._bucket, self._key(key)), key)

    def _key(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key

    def _asked(self, action: Callable[[], None], key: str) -> None:
        """Sort what boto3 raises into what may pass and what will not."""
        from boto3.exceptions import S3UploadFailedError
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

        what = f"{self.where}/{key}"
        try:
            action()
        except (NoCredentialsError, PartialCredentialsError) as error:
            missing = "AWS_SECRET_ACCESS_KEY" if isinstance(error, PartialCredentialsError) else "AWS_ACCESS_KEY_ID"
            raise StorageError(
                f"{what}: no credentials. Set {missing} (and its companions) in the environment."
            ) from error
        except S3UploadFailedError as error:  # hides the client's error in its text
            cause = error.__context__
            if not isinstance(cause, ClientError):
                raise Stumble(_one_line(error)) from error
            raise _sorted(cause, what) from error
        except ClientError as error:
            raise _sorted(error, what) from error
        except (BotoCoreError, ConnectionError, TimeoutError, OSError) as error:
            if isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError):
                raise StorageError(f"{what}: {_one_line(error)}. Free some space or choose another folder.") from error
            raise Stumble(_one_line(error)) from error


def _sorted(error: Any, what: str) -> Exception:
    """Turn an answer of the store into the right error."""
    told = error.response.get("Error", {})
    code, status = str(told.get("Code", "")), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in CREDENTIALS:
        return StorageError(f"{what}: refused ({code}): {CREDENTIALS[code]}.")
    if code in ("NoSuchKey", "NoSuchBucket", "404"):
        return NotThere(f"{what}: nothing there ({code}). Check the address.")
    if code in PASSING or status >= 500:
        return Stumble(f"the store answered {status} {code}")
    return StorageError(f"{what}: the store answered {status} {code}: {told.get('Message', '')}")


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


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
