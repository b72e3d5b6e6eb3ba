"""The registry: what goes in comes out, and there is one champion at a time."""

import mlflow
import numpy as np
import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR
from served_house import tiny_groove, tiny_roles

from models.music.errors import BadInput, RegistryError
from models.music.files import digest_of_folder
from serving.contracts.groove import GROOVE
from serving.golden import Golden
from serving.registration import register


def test_a_model_comes_out_of_the_registry_as_it_went_in(registry, tmp_path):
    model = tiny_groove(tmp_path / "model", 3)
    picture = tmp_path / "loss.png"
    picture.write_bytes(b"png")
    hits = {**GROOVE.canary_request(), "hits": np.array([[38, 90, 480, 240]], np.int32)}
    version = register(registry, "groove", model, {"timing_mae_ms": 19.25}, hits, [picture])
    assert registry.alias("groove", "challenger") == version
    assert registry.alias("groove", "champion") is None
    assert registry.metrics("groove", version) == {"timing_mae_ms": 19.25}
    fetched = registry.download("groove", version, tmp_path / "fetched")
    assert digest_of_folder(fetched / "model") == digest_of_folder(model)
    golden = Golden.read(fetched / "golden.npz")
    assert (golden.request["hits"] == hits["hits"]).all()
    assert golden.answer["notes"].shape == (1, 4)
    assert not list(fetched.rglob("*.pkl"))


def test_mlflow_alone_loads_the_champion_and_plays_it(registry, tmp_path):
    version = register(registry, "groove", tiny_groove(tmp_path / "model", 4), {})
    registry.promote("groove", version)
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(registry.uri)
    try:
        loaded = mlflow.pyfunc.load_model("models:/groove@champion")
    finally:
        mlflow.set_tracking_uri(before)
    request = GROOVE.canary_request()
    golden = Golden.record("groove", tmp_path / "model", request)
    assert (loaded.predict(request)["notes"] == golden.answer["notes"]).all()
    assert loaded.metadata.signature.inputs.input_names() == [tensor.name for tensor in GROOVE.inputs]
    with pytest.raises(BadInput, match="hits is -1"):
        loaded.predict({**request, "hits": np.full((1, 4), -1, np.int32)})


def test_a_role_model_is_registered_like_any_other(registry, tmp_path):
    version = register(registry, "roles", tiny_roles(tmp_path / "model", 1), {"accuracy": 0.9})
    golden = Golden.read(registry.download("roles", version, tmp_path / "fetched") / "golden.npz")
    assert golden.answer["scores"].shape == (5,)


def test_a_model_that_is_registered_again_keeps_its_version_and_its_newest_figures(registry, tmp_path):
    model = tiny_groove(tmp_path / "model", 9)
    version = register(registry, "groove", model, {"timing_mae_ms": 20.0})
    assert register(registry, "groove", model, {"timing_mae_ms": 19.0}) == version
    assert registry.versions("groove") == [version]
    assert registry.metrics("groove", version) == {"timing_mae_ms": 19.0}


def test_a_rollback_brings_the_previous_champion_back_and_history_keeps_both(registry, tmp_path):
    first, second = (register(registry, "groove", tiny_groove(tmp_path / f"{seed}", seed), {}) for seed in (6, 7))
    registry.promote("groove", first)
    with pytest.raises(RegistryError, match="no previous champion"):
        registry.rollback("groove")
    registry.promote("groove", second)
    assert registry.rollback("groove") == first
    assert registry.alias("groove", "champion") == first
    assert registry.alias("groove", "previous") == second
    assert [line.split("Z ")[1] for line in registry.history("groove")] == [
        f"promote None -> {first}",
        f"promote {first} -> {second}",
        f"rollback {second} -> {first}",
    ]


def test_a_registry_that_does_not_answer_is_not_taken_for_an_empty_one(registry, monkeypatch):
    def broken(*_):
        raise MlflowException("database is locked", INTERNAL_ERROR)

    monkeypatch.setattr(registry.client, "get_model_version_by_alias", broken)
    with pytest.raises(RegistryError, match="database is locked"):
        registry.alias("groove", "champion")


def test_only_versions_that_exist_are_promoted(registry, tmp_path):
    version = register(registry, "groove", tiny_groove(tmp_path / "model", 7), {})
    with pytest.raises(RegistryError, match=f"there is no version 99; there are {version}"):
        registry.promote("groove", 99)
    assert registry.alias("groove", "champion") is None


def test_a_model_folder_that_was_never_finished_is_not_registered(registry, tmp_path):
    model = tiny_groove(tmp_path / "model", 8)
    (model / "weights.safetensors").write_bytes(b"cut")
    with pytest.raises(BadInput, match=r"weights\.safetensors is missing or differs"):
        register(registry, "groove", model, {})
