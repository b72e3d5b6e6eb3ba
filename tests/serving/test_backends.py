"""What a model answers: alone or in company, and when asked for nonsense."""

import threading
import time
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as grpc
from echo_model import ECHO, RAISE, REFUSE, SLEEP
from tritonclient.utils import InferenceServerException

from models.drums.roles.features import measure
from models.drums.roles.listening import AudioConfig, prepare
from models.music.audio import LISTENING_RATE_HZ, Audio
from models.music.errors import BadInput, Refused, TooLate
from serving.client import JamflowClient
from serving.contracts.groove import GROOVE, groove
from serving.contracts.roles import ROLES, roles

BEAT = np.array([(36, 100, 0, 240), (42, 80, 480, 240), (38, 110, 960, 240), (42, 70, 1440, 240)], np.int32)

TAP = ROLES.canary_request()["audio"]


def numbers(rows, order=None):
    asked = {"numbers": np.arange(4 * rows, dtype=np.int32).reshape(rows, 4)}
    return asked if order is None else {**asked, "order": np.array([order], np.int32)}


def raw(house, **tensors):
    """Send arrays past our own client's checks."""
    client = grpc.InferenceServerClient(house.server.grpc_url)
    inputs = []
    for name, (array, dtype) in tensors.items():
        inputs.append(grpc.InferInput(name, list(array.shape), dtype).set_data_from_numpy(array))
    try:
        return client.infer("groove", inputs, client_timeout=20)
    finally:
        client.close()


def groove_arrays(**changed):
    dtypes = {tensor.name: tensor.dtype for tensor in GROOVE.inputs}
    arrays = {name: array[None] for name, array in GROOVE.canary_request().items()}
    return {name: (array, dtypes[name]) for name, array in (arrays | changed).items()}


def together(house, requests):
    """Send requests at once, each on its own connection, while the echo sleeps so that they wait in one queue."""
    answers: list[Any] = [None] * len(requests)

    def send(place, contract, arrays):
        with JamflowClient(house.server.grpc_url, 20.0) as client:
            try:
                answers[place] = client.ask(contract, arrays)
            except Refused as error:
                answers[place] = error

    threads = [threading.Thread(target=send, args=(i, *request)) for i, request in enumerate(requests)]
    threads[0].start()
    time.sleep(0.2)
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_a_humanised_beat_keeps_its_notes(client):
    reply = groove(client, BEAT, bars=1)
    assert reply.notes[:, 0].tolist() == BEAT[:, 0].tolist()
    assert reply.notes[:, 3].tolist() == BEAT[:, 3].tolist()
    assert (reply.notes != BEAT).any()
    assert reply.model_version >= 1


def test_no_hits_are_humanised_to_no_hits(client):
    assert len(groove(client, [], bars=1).notes) == 0


def test_a_seed_plays_the_same_alone_and_in_company(house, client):
    def asked(seed, rows=4):
        return {
            **GROOVE.canary_request(),
            "hits": BEAT[:rows],
            "temperature": np.array([1.0], np.float32),
            "seed": np.array([seed]),
        }

    alone = client.ask(GROOVE, asked(7)).arrays["notes"]
    other = client.ask(GROOVE, asked(8)).arrays["notes"]
    company = together(
        house, [(GROOVE, asked(seed, rows)) for seed, rows in [(1, 4), (7, 4), (2, 3), (3, 2), (7, 4), (4, 1)]]
    )
    assert (alone != other).any()
    assert (company[1].arrays["notes"] == alone).all()
    assert (company[4].arrays["notes"] == alone).all()


def test_requests_of_different_lengths_share_a_batch_and_a_bad_one_spoils_no_other(house):
    slow, *rest = together(
        house,
        [
            (ECHO, numbers(1, SLEEP)),
            (ECHO, numbers(2, 0)),
            (ECHO, numbers(3, REFUSE)),
            (ECHO, numbers(1, RAISE)),
            (ECHO, numbers(5, 0)),
        ],
    )
    assert slow.arrays["numbers"].shape == (1, 4)
    assert [str(a) if isinstance(a, Refused) else a.arrays["numbers"].shape for a in rest] == [
        (2, 4),
        "the numbers do not swing. Give others.",
        "echo: ZeroDivisionError: a bug",
        (5, 4),
    ]


def test_equal_requests_are_played_in_one_batch(house):
    _, *rest = together(house, [(ECHO, numbers(1, SLEEP))] + [(ECHO, numbers(n, 0)) for n in (1, 2, 3, 4)])
    assert max(int(reply.arrays["company"][0]) for reply in rest) > 1


def test_an_optional_input_may_stay_away(client):
    asked = {**numbers(1), "sound": np.ones(5, np.float32)}
    assert client.ask(ECHO, asked).arrays["numbers"].shape == (1, 4)


def test_a_one_shot_gets_a_role(client):
    reply = roles(client, TAP)
    assert reply.role == max(reply.scores, key=lambda role: reply.scores[role])
    assert sum(reply.scores.values()) == pytest.approx(1, abs=1e-5)
    assert 0 < reply.confidence < 1


def test_features_that_are_known_already_are_believed(client):
    measured = measure([prepare(Audio(TAP[None], LISTENING_RATE_HZ, "tap"), AudioConfig())])[0].as_array()
    assert roles(client, TAP, measured).scores == pytest.approx(roles(client, TAP).scores, abs=1e-6)
    assert roles(client, TAP, 1 - measured).scores != pytest.approx(roles(client, TAP).scores, abs=1e-3)


def test_a_one_shot_scores_the_same_in_company(house, client):
    alone = roles(client, TAP).scores
    sounds = [TAP, TAP[:800], np.sign(TAP), TAP, TAP[:400]]
    company = together(house, [(ROLES, {"audio": sound}) for sound in sounds])
    for reply in (company[0], company[3]):
        assert dict(zip(alone, map(float, reply.arrays["scores"]), strict=True)) == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize(
    ("audio", "sentence"),
    [
        (np.zeros(1600, np.float32), "silent"),
        (np.full(1600, np.nan, np.float32), "audio holds NaN or infinity"),
        (np.zeros(160_001, np.float32), r"audio has shape \[160001\]; give float32 \[n\] with n from 1 to 160000"),
    ],
)
def test_a_sound_that_cannot_be_heard_is_refused(client, audio, sentence):
    with pytest.raises((BadInput, Refused), match=sentence):
        roles(client, audio)


def test_a_late_answer_is_too_late_and_the_next_one_is_not(client):
    began = time.monotonic()
    with pytest.raises(TooLate, match=r"no answer within 0\.2 s"):
        client.ask(ECHO, numbers(1, SLEEP), deadline_s=0.2)
    assert time.monotonic() - began < 0.4
    assert client.prove(ECHO)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"hits": np.zeros((1, 9000, 4), np.int32)}, r"groove: hits has shape \[9000, 4\]"),
        ({"hits": np.full((1, 1, 4), -5, np.int32)}, "hits is -5"),
        ({"temperature": np.array([[np.nan]], np.float32)}, "temperature holds NaN"),
        ({"bars": np.array([[0]], np.int32)}, "bars is 0; give 1 to 256"),
        ({"hits": np.array([[[36, 100, 99999, 240]]], np.int32)}, "begins at tick 99999"),
        ({"hits": np.array([[[200, 100, 0, 240]]], np.int32)}, "pitch is 200"),
    ],
)
def test_the_server_refuses_what_a_careless_client_sends(house, changed, sentence):
    with pytest.raises(InferenceServerException, match=sentence) as refused:
        raw(house, **groove_arrays(**changed))
    assert refused.value.status() == "StatusCode.INVALID_ARGUMENT"


def test_two_grooves_in_one_request_are_refused(house):
    two = {name: np.concatenate([array, array]) for name, (array, _) in groove_arrays().items()}
    with pytest.raises(InferenceServerException, match=r"has \[2\] rows; send one request each"):
        raw(house, **groove_arrays(**two))


def test_a_negative_shape_is_refused(house):
    client = grpc.InferenceServerClient(house.server.grpc_url)
    hits = grpc.InferInput("hits", [1, -4, 4], "INT32")
    hits._raw_content = b"\0" * 64
    with pytest.raises(InferenceServerException):
        client.infer("groove", [hits], client_timeout=5)
    client.close()


def test_an_oversized_request_is_refused_and_the_model_goes_on(house, client):
    began = time.monotonic()
    with pytest.raises(InferenceServerException, match=r"groove: hits has shape \[2000000, 4\]"):
        raw(house, **groove_arrays(hits=np.zeros((1, 2_000_000, 4), np.int32)))
    assert time.monotonic() - began < 3.0
    assert client.prove(GROOVE)


def test_our_own_client_does_not_even_send_it(client):
    with pytest.raises(BadInput, match="shape"):
        groove(client, np.zeros((9000, 4), np.int32), bars=1)
    with pytest.raises(BadInput, match="mode is 'swing'; choose one of humanise, vary, tap"):
        groove(client, BEAT, bars=1, mode="swing")
    with pytest.raises(BadInput, match="deadline_s is 0"):
        groove(client, BEAT, bars=1, deadline_s=0)
