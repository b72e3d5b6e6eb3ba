"""One contract for both ends of the wire."""

import numpy as np
import pytest

from models.drums.roles import types as roles
from models.groove import request
from models.music.audio import LISTENING_RATE_HZ
from models.music.errors import BadInput
from serving.client import JamflowClient
from serving.contract import Axis, ModelContract, Tensor, check_name, config_pbtxt
from serving.contracts import roles as roles_wire
from serving.contracts.groove import GROOVE, MODES, groove
from serving.contracts.roles import ROLE_NAMES, ROLES
from serving.families import FAMILIES, family


def asking(**changed):
    return {**GROOVE.canary_request(), **changed}


@pytest.mark.parametrize("contract", [each.contract for each in FAMILIES.values()], ids=list(FAMILIES))
def test_every_contract_accepts_its_own_canary(contract):
    contract.check(contract.canary_request())


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"hits": np.zeros((3, 5), np.int32)},
            r"groove: hits has shape \[3, 5\]; give int32 \[n, 4\] with n from 0 to 8192",
        ),
        ({"hits": np.zeros((8193, 4), np.int32)}, r"shape \[8193, 4\]"),
        ({"hits": np.zeros((3, 4), np.int64)}, r"hits is int64; give int32 \[n, 4\]"),
        ({"hits": np.full((1, 4), -1, np.int32)}, r"hits is -1; give 0 or more"),
        ({"temperature": np.array([np.nan], np.float32)}, r"temperature holds NaN or infinity at 0"),
        ({"temperature": np.array([9], np.float32)}, r"temperature is 9; give 0 to 4"),
        ({"mode": np.array([3], np.int32)}, r"mode is 3; give 0 to 2"),
        ({"bars": [1]}, r"bars is list; give int32 \[1\]"),
        ({"beats": np.array([1], np.int32)}, r"there is no 'beats'; it has hits, bars"),
    ],
)
def test_a_request_that_does_not_fit_is_refused_in_one_sentence(changed, sentence):
    with pytest.raises(BadInput, match=sentence) as refused:
        GROOVE.check(asking(**changed))
    assert "\n" not in str(refused.value)


def test_a_missing_input_is_named():
    with pytest.raises(BadInput, match=r"groove: seed is missing; give int64 \[1\]"):
        GROOVE.check({name: array for name, array in asking().items() if name != "seed"})


def test_the_wire_allows_what_the_model_allows():
    limits = {tensor.name: tensor for tensor in GROOVE.inputs}
    assert limits["hits"].shape[0] == Axis("n", request.MAX_HITS, shortest=0)
    assert limits["bars"].high == request.MAX_BARS
    assert limits["temperature"].high == request.MAX_TEMPERATURE
    assert request.MODES == MODES


def test_roles_are_numbered_as_the_model_numbers_them():
    limits = {tensor.name: tensor for tensor in ROLES.inputs}
    assert tuple(roles.ROLES) == ROLE_NAMES
    assert limits["features"].shape == (len(roles.FEATURES),)
    assert roles_wire.RATE_HZ == LISTENING_RATE_HZ


def test_triton_reads_the_same_names_shapes_and_versions():
    config = config_pbtxt(GROOVE, [4, 3], name="groove_rehearsal_1")
    assert 'name: "groove_rehearsal_1"' in config
    assert '{ name: "hits" data_type: TYPE_INT32 dims: [-1, 4] allow_ragged_batch: true }' in config
    assert '{ name: "seed" data_type: TYPE_INT64 dims: [1] }' in config
    assert "version_policy { specific { versions: [3, 4] } }" in config
    assert "dynamic_batching { }" in config
    assert "priority" not in config


def test_a_stream_of_replies_is_written_as_such():
    chords, note = Tensor("chords", "INT32", (Axis("n", 64), 2)), Tensor("note", "INT32", (1, 4), join=0)
    stream = ModelContract("jam", (chords,), (note,), mode="stream")
    assert "model_transaction_policy { decoupled: true }" in config_pbtxt(stream, [1])
    assert "dynamic_batching" not in config_pbtxt(stream, [1])


@pytest.mark.parametrize("name", ["..", "../x", "groove/../x", "Groove", "", "groove\n", "a b"])
def test_a_name_that_could_be_a_path_is_no_model_name(name):
    with pytest.raises(BadInput, match="small letters, digits and _ only"):
        check_name(name)


def test_an_unknown_model_lists_the_known_ones():
    with pytest.raises(BadInput, match="did you mean 'groove'"):
        family("grove")


def test_a_type_that_does_not_cross_unharmed_is_no_tensor():
    with pytest.raises(ValueError, match="FP64"):
        Tensor("x", "FP64", (1,))


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"seed": 2**63}, "seed"),
        ({"seed": 2**70}, "seed"),
        ({"bars": 1.5}, "bars"),
        ({"hits": np.full((1, 4), np.nan)}, "hits"),
        ({"hits": [[36, 100, 0.5, 1]]}, "hits"),
        ({"hits": [[36, 100], [1]]}, "hits"),
    ],
)
def test_the_client_sends_no_number_that_would_change_on_the_way(changed, name):
    with JamflowClient("127.0.0.1:1") as client, pytest.raises(BadInput, match=f"groove: {name} does not fit int"):
        groove(client, **{"hits": [[36, 100, 0, 1]], "bars": 1, **changed})
