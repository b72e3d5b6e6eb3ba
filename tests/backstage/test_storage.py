"""Snapshots in a folder and in a real S3 API (moto, in this process), with the store's bad days."""

import time
import zipfile

import pytest

from backstage import storage
from models.music.errors import StorageError
from models.music.files import check_folder


@pytest.fixture
def grooves(tmp_path):
    folder = tmp_path / "grooves"
    (folder / "drummer1").mkdir(parents=True)
    (folder / "drummer1" / "funk.mid").write_bytes(b"MThd funk")
    (folder / "info.csv").write_text("drummer,style\n")
    return folder


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(storage, "FIRST_PAUSE_S", 0.01)


@pytest.mark.parametrize("where", ["file", "s3"])
def test_a_snapshot_comes_back_as_it_went(where, s3, grooves, tmp_path):
    uri = (tmp_path / "store").as_uri() if where == "file" else "s3://grooves/v1"
    s3.coming.clear()
    digest = storage.save_snapshot(grooves, uri)
    assert len(digest) == 64
    back = storage.fetch_snapshot(uri, tmp_path / "back")
    assert (back / "drummer1" / "funk.mid").read_bytes() == b"MThd funk"
    assert set(check_folder(back)) == {"drummer1/funk.mid", "info.csv"}


def test_a_store_that_stumbles_is_asked_again(s3, grooves, tmp_path):
    storage.save_snapshot(grooves, "s3://grooves/stumbles")
    s3.coming[:] = ["503", "503"]
    storage.fetch_snapshot("s3://grooves/stumbles", tmp_path / "back")
    s3.coming[:] = ["ok", "cut"]
    s3.gets = 0
    storage.fetch_snapshot("s3://grooves/stumbles", tmp_path / "again")
    assert s3.gets == 4, "manifest, cut file, the file again, the other file"
    check_folder(tmp_path / "again")


def test_patience_ends_at_the_deadline_and_leaves_nothing(s3, grooves, tmp_path):
    storage.save_snapshot(grooves, "s3://grooves/down")
    s3.coming[:] = ["503"] * 1000
    began = time.monotonic()
    with pytest.raises(StorageError, match=r"503 SlowDown; gave up after \d+ tries in 0.5 s"):
        storage.fetch_snapshot("s3://grooves/down", tmp_path / "back", deadline_s=0.5)
    s3.coming.clear()
    assert time.monotonic() - began < 2
    assert list(tmp_path.iterdir()) == [grooves]


def test_a_wrong_key_is_not_asked_twice_and_names_the_variable(s3, tmp_path, monkeypatch):
    s3.coming[:] = ["403"]
    with pytest.raises(StorageError, match="AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID"):
        storage.fetch_file("s3://grooves/v1/info.csv", tmp_path / "info.csv")
    assert s3.coming == []
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(StorageError, match="Set AWS_ACCESS_KEY_ID"):
        storage.fetch_file("s3://grooves/v1/info.csv", tmp_path / "info.csv")


def test_a_file_that_differs_from_the_manifest_is_never_let_in(grooves, tmp_path):
    storage.save_snapshot(grooves, str(tmp_path / "store"))
    (tmp_path / "store" / "info.csv").write_text("tampered")
    with pytest.raises(StorageError, match=r"info.csv: what came differs"):
        storage.fetch_snapshot(str(tmp_path / "store"), tmp_path / "back", deadline_s=0.1)
    assert not (tmp_path / "back").exists()


def test_what_is_not_there_is_said_so(s3, tmp_path):
    with pytest.raises(StorageError, match="nothing there"):
        storage.fetch_snapshot("s3://grooves/nowhere", tmp_path / "back")
    with pytest.raises(StorageError, match="no such file"):
        storage.fetch_snapshot((tmp_path / "nowhere").as_uri(), tmp_path / "back")
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_is_brought_from_wherever_it_is(s3, grooves, tmp_path):
    archive = tmp_path / "grooves.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(grooves / "info.csv", "info.csv")
    storage.save_snapshot(grooves, "s3://grooves/bring")
    for number, source in enumerate([str(grooves), str(archive), archive.as_uri(), "s3://grooves/bring"]):
        digest = storage.bring(source, tmp_path / f"here{number}")
        assert "info.csv" in check_folder(tmp_path / f"here{number}")
        assert len(digest) == 64
