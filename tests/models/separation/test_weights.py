"""Weights are found in a folder or a cache; when neither has them and no hub answers, that is said within seconds."""

import os
import socket
import subprocess
import sys
import time

import pytest

from models.music.errors import BadInput
from models.separation.at_hand import at_hand
from models.separation.weights import NotHere, find_bag, hub_name

FIND = """
import sys, time
from models.music.errors import JamflowError
from models.separation.stems import load_separator
began = time.monotonic()
try:
    load_separator("htdemucs", "drums")
except JamflowError as error:
    print(error)
print(time.monotonic() - began)
print("torch" in sys.modules)
"""


def ask(tmp_path, **settings: str) -> tuple[str, float, str]:
    """Ask for pretrained weights where no cache has them; give what was said, the seconds and whether torch came in."""
    kept = {key: value for key, value in os.environ.items() if "proxy" not in key.lower() and key != "HF_HUB_OFFLINE"}
    environment = {**kept, "HF_HOME": str(tmp_path), **settings}
    done = subprocess.run([sys.executable, "-c", FIND], env=environment, capture_output=True, text=True, check=True)
    said, seconds, torch_came = done.stdout.splitlines()
    return said, float(seconds), torch_came


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.parametrize("through_a_proxy", [False, True])
def test_without_a_network_the_way_out_is_said_within_three_seconds(tmp_path, closed_port, through_a_proxy):
    nobody = f"http://127.0.0.1:{closed_port}"
    settings = {"HTTPS_PROXY": nobody} if through_a_proxy else {"HF_ENDPOINT": nobody}
    said, seconds, torch_came = ask(tmp_path, **settings)
    assert said.startswith("htdemucs: htdemucs.yaml is not cached and http")
    assert "does not answer" in said
    assert said.endswith("fetch it once with network, or take --model separator, which comes with Jamflow.")
    assert (seconds < 3, torch_came) == (True, "False")


def test_a_hub_that_takes_the_call_and_says_nothing_is_waited_for_no_longer(tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        said, seconds, _ = ask(tmp_path, HF_ENDPOINT=f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert "does not answer (" in said
    assert seconds < 3


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is cached, and nobody is asked."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)


def test_offline_by_choice_does_not_even_knock(offline):
    began = time.monotonic()
    with pytest.raises(BadInput, match=r"htdemucs: htdemucs\.yaml is not cached and HF_HUB_OFFLINE is set"):
        find_bag("htdemucs")
    assert time.monotonic() - began < 2


def test_the_starter_plays_where_the_defaults_weights_cannot_be_had_and_says_how_good_it_is(offline):
    separator, spoken = at_hand("htdemucs", "drums", "bass", "other", "vocals")
    assert separator.rate_hz == 44_100
    assert spoken.startswith(
        "htdemucs: htdemucs.yaml is not cached and HF_HUB_OFFLINE is set, so the starter separator ("
    )
    assert "uSDR drums" in spoken


def test_a_model_that_was_chosen_is_never_replaced(offline):
    with pytest.raises(NotHere, match=r"htdemucs_ft"):
        at_hand("htdemucs_ft")


def test_who_is_here_plays_and_its_weights_are_looked_for_once(tmp_path, monkeypatch):
    asked, loaded = [], []
    (tmp_path / "htdemucs.yaml").write_text('models: ["a"]\n')
    monkeypatch.setattr(
        "huggingface_hub.try_to_load_from_cache", lambda _, file: asked.append(file) or str(tmp_path / file)
    )
    monkeypatch.setattr("models.separation.htdemucs.HTDemucs.load", loaded.append)
    _, spoken = at_hand("htdemucs")
    assert spoken == "htdemucs"
    assert [bag.members for bag in loaded] == [(tmp_path / "a.safetensors",)]
    assert asked == ["htdemucs.yaml", "a.safetensors"]


def test_what_is_cached_is_taken_without_a_word_to_the_hub(tmp_path, monkeypatch):
    (tmp_path / "htdemucs.yaml").write_text('models: ["a", "b"]\nweights: [[1.0], [2.0]]\nsegment: 7\n')
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda _, file: str(tmp_path / file))
    bag = find_bag("htdemucs")
    assert bag.members == (tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    assert (bag.weights, bag.segment) == ([[1.0], [2.0]], 7)


@pytest.mark.parametrize("name", ["htdemucs", "htdemucs_ft", "htdemucs_6s", "mdx_extra_q"])
def test_the_hub_is_asked_for_the_names_that_demucs_asks_for(name):
    hf = pytest.importorskip("demucs.hf")
    assert hub_name(name) == hf.hf_repo_name(name)
