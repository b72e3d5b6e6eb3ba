"""Checkpoints survive their machine: in a folder that one training holds, or in a store they are copied to."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backstage import checkpoints, storage
from backstage.checkpoints import ABANDONED_S, in_use, mirrored
from backstage.lessons import workplace
from backstage.stores import open_store
from models.music.errors import StorageError
from models.music.files import whole_folder


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(storage, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(checkpoints, "PATIENCE_S", 1.0)
    monkeypatch.setattr(checkpoints, "LOOK_EVERY_S", 0.05)


@pytest.fixture(params=["file", "s3"])
def address(request, s3, tmp_path):
    s3.coming.clear()
    return (tmp_path / "store").as_uri() if request.param == "file" else f"s3://grooves/{tmp_path.name}"


def save(folder, step, weights="weights"):
    with whole_folder(folder / f"step-{step:08d}") as part:
        (part / "state").write_text(f"{weights} {step}")


def copied(address):
    return {key for key in open_store(address).written() if key.endswith("state")}


def wait_until(true, seconds=10):
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    assert true()


class Evicted(BaseException):
    pass


def test_a_rescheduled_training_goes_on_from_the_newest_checkpoint_of_each_of_its_networks(address):
    with pytest.raises(Evicted), mirrored(address, "roles-1") as folder:
        for step in (10, 20):
            save(folder / "rehearsal", step)
            wait_until(lambda step=step: copied(address) == {f"roles-1/rehearsal/step-{step:08d}/state"})
        save(folder / "lesson", 10)
        save(folder / "lesson", 20)
        raise Evicted
    assert not folder.exists()
    with mirrored(address, "roles-1") as again:
        found = {file.relative_to(again).as_posix(): file.read_text() for file in again.rglob("state")}
        assert found == {"rehearsal/step-00000020/state": "weights 20", "lesson/step-00000020/state": "weights 20"}
    assert open_store(address).written() == {}, "a training that ended leaves nothing"


def test_a_store_that_stumbles_while_it_is_copied_to_stops_nobody(address, monkeypatch, caplog):
    answers = iter([StorageError("s3://x: refused (AccessDenied)")])
    save_snapshot = checkpoints.save_snapshot

    def stumbling(*given):
        for error in answers:
            raise error
        return save_snapshot(*given)

    monkeypatch.setattr(checkpoints, "save_snapshot", stumbling)
    with pytest.raises(Evicted), mirrored(address, "groove-1") as folder:
        save(folder, 5)
        wait_until(lambda: copied(address))
        raise Evicted
    assert "checkpoints not copied: s3://x: refused" in caplog.text


def test_a_damaged_checkpoint_in_the_store_is_passed_over(address, tmp_path, caplog):
    with pytest.raises(Evicted), mirrored(address, "groove-1") as folder:
        save(folder, 5)
        raise Evicted
    (tmp_path / "torn").write_text("torn")
    open_store(address).put(tmp_path / "torn", "groove-1/step-00000005/state")
    with mirrored(address, "groove-1") as again:
        assert not list(again.rglob("step-*"))
    assert "passed over" in caplog.text


def test_a_store_that_does_not_answer_ends_the_training_before_it_begins(s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    with pytest.raises(StorageError, match="s3://grooves/training"), mirrored("s3://grooves/training", "groove-1"):
        pytest.fail("it began")


def aged(folder):
    old = time.time() - ABANDONED_S - 60
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (old, old))


def test_abandoned_checkpoints_are_removed_from_a_store_but_not_those_of_a_training_that_works(tmp_path):
    address, store = (tmp_path / "store").as_uri(), tmp_path / "store"
    for name in ("abandoned", "working", "a song"):
        save(store / name, 5)
        if name != "a song":
            (store / name / checkpoints.MARK).touch()
        aged(store / name)
    (store / "working" / checkpoints.MARK).touch()
    with mirrored(address, "groove-1"):
        assert {path.name for path in store.iterdir()} == {"working", "a song", "groove-1"}


def test_abandoned_folders_are_removed_but_never_one_that_is_in_use_or_none_of_ours(tmp_path):
    for name in ("abandoned", "mine"):
        with pytest.raises(Evicted), in_use(tmp_path / name) as folder:
            save(folder, 5)
            raise Evicted
    save(tmp_path / "a song", 5)
    with in_use(tmp_path / "working"):
        for folder in tmp_path.iterdir():
            aged(folder)
        with in_use(tmp_path / "mine") as mine:
            assert (mine / "step-00000005").is_dir()
            assert {path.name for path in tmp_path.iterdir()} == {"working", "mine", "a song"}


HOLD = """
import sys, time
from pathlib import Path
from backstage.checkpoints import in_use
with in_use(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_two_trainings_never_share_a_folder_and_a_killed_one_lets_go_of_it(tmp_path):
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "groove-1")], stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(StorageError, match="Wait for it, or change the seed"), in_use(tmp_path / "groove-1"):
            pytest.fail("it was let in")
        other.kill()
    with in_use(tmp_path / "groove-1") as folder:
        assert folder == Path(tmp_path / "groove-1")


def test_a_training_of_the_same_data_and_settings_finds_its_checkpoints_at_an_address(address, tmp_path):
    (tmp_path / "corpus").write_text("beats")
    with pytest.raises(Evicted), workplace(address, "groove", tmp_path / "corpus", seed=1) as folder:
        save(folder, 5)
        raise Evicted
    with workplace(address, "groove", tmp_path / "corpus", seed=2) as other:
        assert not list(other.glob("step-*"))
    with workplace(f"{address}/", "groove", tmp_path / "corpus", seed=1) as again:
        assert [step.name for step in again.glob("step-*")] == ["step-00000005"]
