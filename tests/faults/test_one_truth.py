"""Whatever dies, registry, repository and server come to one truth again, and what was left is swept up."""

import contextlib
import dataclasses
import itertools
import shutil
import threading
import time
from pathlib import Path

import pytest
from echo_model import ECHO
from killed import INSTANTS, deploy_killed
from served_house import open_house, stub_of, tiny_groove

from benchmarks.truth import untrue
from models.music.errors import StorageError, Unavailable
from serving import keeper as keeping
from serving import scratch
from serving.calls import spoken
from serving.casting import cast
from serving.client import JamflowClient
from serving.contracts.groove import GROOVE
from serving.control import Control
from serving.deploy import bring_back, put_to_work
from serving.endpoint import Endpoint
from serving.families import family
from serving.keeper import Keeper
from serving.look import Cast
from serving.registration import clear_away, register
from serving.registry import CHALLENGER, CHAMPION, PREVIOUS
from serving.repository import Repository
from serving.tuning import tune
from serving.where import Where

SEEDS = itertools.count(20)
QUICKEST, *SLOWER = sorted(INSTANTS, key=lambda instant: instant != "after the switch")


@pytest.fixture(scope="module")
def house(empty_store, tmp_path_factory):
    """A house of their own: these tests break its files."""
    yield from open_house(tmp_path_factory.mktemp("healing"), empty_store)


@pytest.fixture(autouse=True)
def passing(tmp_path, monkeypatch):
    """A temporary folder of the test's own, also for the processes that it starts."""
    (tmp_path / "passing").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "passing"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "passing"))
    return tmp_path / "passing"


def tuned(house, control) -> int | None:
    with house.registry.alone("groove"):
        return tune(house.registry, family("groove"), Repository(house.repository), control)


def challenger(house, tmp_path) -> int:
    return register(house.registry, "groove", tiny_groove(tmp_path / "model", next(SEEDS)), {})


def assert_one_truth(house, champion: int) -> None:
    assert house.registry.alias("groove", CHAMPION) == champion
    assert untrue(house.registry, house.repository, house.server.endpoint, ("groove",)) == []


@pytest.mark.parametrize("instant", [QUICKEST, *(pytest.param(each, marks=pytest.mark.slow) for each in SLOWER)])
def test_a_deployment_that_is_killed_is_taken_back_or_finished(house, control, tmp_path, passing, instant):
    old, new = house.registry.alias("groove", CHAMPION), challenger(house, tmp_path)
    if instant == "in the load":  # of a version that nobody sweeps away meanwhile
        put_to_work("groove", new, house.where)
        bring_back("groove", house.where)
    deploy_killed(instant, house.where, "groove", new)
    champion = new if instant == "in the crowning" else old
    assert tuned(house, control) == champion
    until(lambda: "LOADING" not in control.index()["groove"].values(), 60)  # what the dead asked for comes all the same
    assert_one_truth(house, champion)
    if champion == new:
        assert house.registry.alias("groove", PREVIOUS) == old
        assert house.registry.alias("groove", CHALLENGER) is None
        assert house.registry.history("groove")[-1].endswith(f"deploy {old} -> {new}")
    scratch.sweep()
    assert [each for each in passing.iterdir() if each.is_dir()] == []


@pytest.mark.slow
def test_a_second_deployment_tidies_up_after_the_first(house, control, tmp_path):
    first = challenger(house, tmp_path)
    deploy_killed("after the switch", house.where, "groove", first)
    assert control.served()["groove"] == first, "the fault is there"
    champion = house.registry.alias("groove", CHAMPION)
    assert put_to_work("groove", champion, house.where).version == champion
    assert_one_truth(house, champion)


def damaged(folder: Path) -> None:
    weights = folder / "model" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])


def another(folder: Path) -> None:
    """A whole version, of a model that the registry does not know by this number."""
    scores = Repository(folder.parents[1])
    shutil.rmtree(folder)
    scores.add(GROOVE, int(folder.name), tiny_groove(folder.parents[2] / "another", 77))


@pytest.mark.parametrize(
    "fault", [damaged, shutil.rmtree, another, lambda folder: (folder.parent / "config.pbtxt").unlink()]
)
def test_files_that_are_not_the_champion_s_are_fetched_again(house, control, fault):
    champion = house.registry.alias("groove", CHAMPION)
    fault(house.repository / "groove" / str(champion))
    assert tuned(house, control) == champion
    assert Repository(house.repository).holds("groove", champion, house.registry.model_digest("groove", champion))
    assert_one_truth(house, champion)


def test_a_champion_whose_process_has_died_or_that_was_unloaded_plays_again(house, control):
    champion = house.registry.alias("groove", CHAMPION)
    stub_of(house.server, "groove").kill()
    assert tuned(house, control) == champion
    control.unload("groove")
    assert tuned(house, control) == champion
    with JamflowClient(house.server.grpc_url, 10.0) as client:
        assert client.prove(GROOVE).model_version == champion


def test_a_model_that_cannot_be_mended_is_named_not_its_temporary_path(house, control, tmp_path, passing):
    champion = house.registry.alias("groove", CHAMPION)
    kept = [
        file
        for file in house.repository.parent.rglob("artifacts/model/weights.safetensors")
        if "repository" not in str(file)
    ]
    whole = {file: file.read_bytes() for file in kept}
    damaged(house.repository / "groove" / str(champion))
    for file in kept:
        file.write_bytes(b"lost")
    try:
        with pytest.raises(
            StorageError, match=rf"^groove {champion}: the registry's copy is damaged \(weights"
        ) as failed:
            tuned(house, control)
    finally:
        for file, held in whole.items():
            file.write_bytes(held)
    assert str(passing) not in str(failed.value)
    assert tuned(house, control) == champion


def test_what_a_killed_registration_left_is_cleared_away(house, tmp_path, monkeypatch):
    def dies(*_args, **_more):
        raise KeyboardInterrupt

    before = set(house.repository.parent.rglob("weights.safetensors"))
    monkeypatch.setattr(house.registry.client, "create_model_version", dies, raising=False)
    with pytest.raises(KeyboardInterrupt):
        register(house.registry, "groove", tiny_groove(tmp_path / "model", next(SEEDS)), {})
    monkeypatch.undo()
    assert set(house.repository.parent.rglob("weights.safetensors")) - before, "the fault is there"
    clear_away(house.registry, "groove")
    assert set(house.repository.parent.rglob("weights.safetensors")) == before


def test_the_running_keeper_sees_what_is_not_as_it_was_cast(house, tmp_path, monkeypatch, caplog):
    """Its own server over the same registry: a champion is unloaded, again right after it was healed, and plays again unasked."""
    monkeypatch.setattr(keeping, "LOOK_S", 0.3)
    monkeypatch.setattr(keeping, "GRACE_S", 1.0)
    for module in ("keeper", "look", "casting"):
        monkeypatch.setattr(f"serving.{module}.FAMILIES", {"groove": family("groove")})

    casts: list[Cast] = []

    def cast_here(self, told_in, _stopped):
        casts.append(cast(dataclasses.replace(self.where, server=str(told_in))))
        if len(casts) == 2:
            with contextlib.closing(Control(Endpoint.read(told_in))) as control:
                control.unload("groove")
        return casts[-1]

    monkeypatch.setattr(Keeper, "_cast", cast_here)
    where = dataclasses.replace(
        house.where, repository=str(tmp_path / "repository"), server=str(tmp_path / "serving.json")
    )
    heard: list[Cast] = []
    with kept(where, tmp_path / "triton", heard) as endpoint, contextlib.closing(Control(endpoint)) as control:
        champion = house.registry.alias("groove", CHAMPION)
        assert heard[0].playing["groove"] == champion
        control.unload("groove")
        (tmp_path / "serving.json").unlink()
        until(lambda: len(casts) == 3 and control.served().get("groove") == champion, 60)
        until(lambda: Endpoint.running(tmp_path / "serving.json") == endpoint, 5)
    assert "not as it was cast: groove" in caplog.text


@contextlib.contextmanager
def kept(where: Where, folder: Path, heard: list[Cast]):
    stopped, ready, told = threading.Event(), threading.Event(), []

    def hear(endpoint, cast):
        heard.append(cast)
        told.append(endpoint)
        ready.set()

    thread = threading.Thread(target=Keeper(where, folder).keep, args=(stopped, hear))
    thread.start()
    try:
        assert ready.wait(100)
        yield told[0]
    finally:
        stopped.set()
        thread.join()


def until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.1)


def test_a_client_of_a_model_that_is_away_for_a_moment_is_told_to_ask_again(house, client, control):
    control.unload("echo")
    try:
        with pytest.raises(Unavailable, match="Ask again in a few seconds"):
            client.prove(ECHO)
    finally:
        control.load("echo")
    never_heard_of = spoken("NOT_FOUND", "Request for unknown model: 'echo' is not found", "here", 1.0)
    assert "Ask again in a few seconds; if it stays away," in str(never_heard_of)
