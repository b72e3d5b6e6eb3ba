"""Where files are kept by key: a folder or an S3 bucket, chosen by the address.

    store = open_store("s3://data/grooves")
    store.put(file, "v1/info.csv"); store.get("v1/info.csv", here); store.written(); store.drop("v1/info.csv")

What asking again may cure is a Stumble (backstage/storage.py asks again); everything else ends in one line.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from models.music.errors import BadConfig, StorageError
from models.music.files import whole_file

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

    def written(self) -> dict[str, float]:
        """Name every key and when it was written, in seconds since 1970."""
        ...

    def drop(self, key: str) -> None:
        """Remove a key, if it is there."""
        ...


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

    def written(self) -> dict[str, float]:
        files = [file for file in self._folder.rglob("*") if file.is_file()]
        return {file.relative_to(self._folder).as_posix(): file.stat().st_mtime for file in files}

    def drop(self, key: str) -> None:
        (self._folder / key).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # a folder that still holds something stays
            for folder in (self._folder / key).relative_to(self._folder).parents:
                (self._folder / folder).rmdir()


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

    def written(self) -> dict[str, float]:
        found: dict[str, float] = {}

        def look() -> None:
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._key(""))
            for entry in (entry for page in pages for entry in page.get("Contents", [])):
                found[entry["Key"].removeprefix(self._key(""))] = entry["LastModified"].timestamp()

        self._asked(look, "")
        return found

    def drop(self, key: str) -> None:
        self._asked(lambda: self._s3.delete_object(Bucket=self._bucket, Key=self._key(key)), key)

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


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
