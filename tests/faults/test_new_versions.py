"""A new version takes over unnoticed, or not at all."""

import itertools
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from served_house import tiny_groove

from models.music.errors import GateFailed, JamflowError, RegistryError
from models.music.files import MANIFEST, manifest_of, write_json
from serving.client import JamflowClient
from serving.contracts.groove import GROOVE, groove
from serving.deploy import bring_back, deploy
from serving.families import family
from serving.registration import register
from serving.repository import Repository
from serving.tuning import hand_out

SEEDS = itertools.cycle((3, 6, 7))
"""Each test its own model, for the same would keep its version; all of them play far from seed 99."""
BEAT = np.array([(36, 100, 0, 240), (38, 110, 960, 240)], np.int32)


class Listener:
    """Plays without pause and keeps every answer and every error."""

    def __init__(self, url: str) -> None:
        self.versions: list[int] = []
        self.errors: list[JamflowError] = []
        self._url, self._stop = url, threading.Event()
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _listen(self) -> None:
        with JamflowClient(self._url, deadline_s=10.0) as client:
            while not self._stop.wait(0.01):
                try:
                    self.versions.append(groove(client, BEAT, bars=1).model_version)
                except JamflowError as error:
                    self.errors.append(error)


def test_a_new_version_takes_over_without_a_lost_request_and_back_again(house, tmp_path):
    old = house.registry.alias("groove", "champion")
    new = register(house.registry, "groove", tiny_groove(tmp_path / "model", next(SEEDS)), {})
    with Listener(house.server.grpc_url) as listener:
        done = deploy(house.registry, "groove", new, house.repository, house.server.endpoint)
        assert (done.version, done.previous) == (new, old)
        assert house.registry.alias("groove", "champion") == new
        assert house.registry.alias("groove", "previous") == old
        bring_back("groove", house.where)
        assert house.registry.alias("groove", "champion") == old
    assert listener.errors == []
    assert [version for version, _ in itertools.groupby(listener.versions)] == [old, new, old]


def replaced(registry, monkeypatch, change):
    """Let a download hand out a model that `change` has spoilt on the way."""
    fetch = registry.download

    def download(name, version, folder):
        fetched = fetch(name, version, folder)
        change(fetched / "model")
        (fetched / "model" / MANIFEST).unlink()
        write_json(fetched / "model" / MANIFEST, manifest_of(fetched / "model"))
        return fetched

    monkeypatch.setattr(registry, "download", download)


def other_weights(model: Path) -> None:
    other = tiny_groove(model.parent / "other", 99)
    shutil.copyfile(other / "weights.safetensors", model / "weights.safetensors")


def half_the_weights(model: Path) -> None:
    weights = model / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])


@pytest.mark.parametrize(
    ("change", "reason"),
    [(other_weights, "golden notes is off by"), (half_the_weights, "failed to load|weights.safetensors")],
)
def test_a_broken_version_is_not_served_and_the_champion_never_notices(house, tmp_path, monkeypatch, change, reason):
    old = house.registry.alias("groove", "champion")
    new = register(house.registry, "groove", tiny_groove(tmp_path / "model", next(SEEDS)), {})
    replaced(house.registry, monkeypatch, change)
    with Listener(house.server.grpc_url) as listener, pytest.raises(GateFailed, match=reason) as failed:
        deploy(house.registry, "groove", new, house.repository, house.server.endpoint)
    assert f"groove {new} is not served, the champion stays" in str(failed.value)
    assert listener.errors == []
    assert set(listener.versions) == {old}
    assert house.registry.alias("groove", "champion") == old
    assert new not in Repository(house.repository).versions("groove")
    assert Repository(house.repository).models() == ["counting", "echo", "groove", "remembering", "roles"]


def test_whoever_loses_the_race_changes_nothing(house, tmp_path, monkeypatch):
    old = house.registry.alias("groove", "champion")
    new = register(house.registry, "groove", tiny_groove(tmp_path / "model", next(SEEDS)), {})
    looks = iter([99])  # the first look saw another champion than the one that is there now
    look = house.registry.alias
    monkeypatch.setattr(house.registry, "alias", lambda name, alias: next(looks, None) or look(name, alias))
    with pytest.raises(RegistryError, match=f"lost the race, champion is {old}"):
        deploy(house.registry, "groove", new, house.repository, house.server.endpoint)
    assert look("groove", "champion") == old
    with JamflowClient(house.server.grpc_url, 10.0) as client:
        assert client.prove(GROOVE).model_version == old


def test_an_empty_repository_is_filled_with_the_champions(house, tmp_path):
    champion = house.registry.alias("groove", "champion")
    hand_out(house.registry, family("groove"), champion, Repository(tmp_path / "repository"))
    assert Repository(tmp_path / "repository").holds("groove", champion)
    config = (tmp_path / "repository" / "groove" / "config.pbtxt").read_text()
    assert f"versions: [{champion}]" in config
    assert f'name: "{GROOVE.name}"' in config
