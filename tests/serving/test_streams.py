"""An answer in parts: in order, in time, and only for as long as somebody listens."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from counting_model import BREAK, COUNTING, RAISE, REFUSE, REPORT, CountingPlayer
from echo_model import ECHO

from models.music.errors import BadInput, BadMidi, Busy, Refused, TooLate, Unavailable
from serving.asker import whole
from serving.client import JamflowClient
from serving.contract import config_pbtxt
from serving.in_process import InProcess


def asking(upto, **more):
    kinds = {"pause_ms": np.float32, "first": np.int64, "order": np.int32}
    return {"upto": np.array([upto], np.int32), **{name: np.array([v], kinds[name]) for name, v in more.items()}}


def numbers(parts):
    return [int(part.arrays["number"][0]) for part in parts]


def made(client, first):
    """How many parts the model has made of the count that begins at `first`."""
    return numbers(client.stream(COUNTING, asking(1, first=first, order=REPORT)))[0]


@pytest.fixture
def here():
    return InProcess("", player=CountingPlayer())


@pytest.fixture(params=["here", "client"])
def asker(request):
    return request.getfixturevalue(request.param)


def test_parts_come_in_order_and_end(asker):
    parts = list(asker.stream(COUNTING, asking(300)))
    assert numbers(parts) == list(range(300))
    assert [part.arrays["line"].shape for part in parts[:3]] == [(2, 0), (2, 1), (2, 2)]


def test_the_same_parts_come_from_here_and_from_a_server(here, client):
    local, served = (whole(asker, COUNTING, asking(50, first=1000)) for asker in (here, client))
    assert served.arrays.keys() == local.arrays.keys()
    for name, array in local.arrays.items():
        assert array.dtype == served.arrays[name].dtype
        assert array.tolist() == served.arrays[name].tolist()
    assert local.arrays["line"].shape == (2, sum(number % 3 for number in range(1000, 1050)))
    assert (local.model_version, served.model_version) == (0, 1)


def test_an_answer_without_parts_is_whole_and_empty(asker):
    assert {name: a.shape for name, a in whole(asker, COUNTING, asking(0)).arrays.items()} == {
        "number": (0,),
        "line": (2, 0),
    }


def test_parts_arrive_while_the_rest_is_being_made(client):
    began = time.monotonic()
    with client.stream(COUNTING, asking(100, pause_ms=50)) as parts:
        assert numbers([next(parts), next(parts)]) == [0, 1]
    assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("leave", [lambda parts: parts.close(), lambda parts: None], ids=["closed", "dropped"])
def test_whoever_leaves_stops_the_work_within_a_part(client, leave):
    first = time.monotonic_ns()
    parts = client.stream(COUNTING, asking(1000, first=first, pause_ms=200))
    assert numbers([next(parts), next(parts)]) == [first, first + 1]
    leave(parts)
    del parts
    time.sleep(1.0)
    assert made(client, first) <= 3


def test_leaving_stops_the_work_here_as_well(here):
    parts = here.stream(COUNTING, asking(1000, first=7))
    next(parts)
    parts.close()
    assert made(here, 7) == 1
    with pytest.raises(StopIteration):
        next(parts)


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (REFUSE, r"the numbers do not swing\. Give others\."),
        (RAISE, "counting: ZeroDivisionError: a bug"),
        (BREAK, "breaks the contract: counting: line is missing"),
    ],
)
def test_what_goes_wrong_on_the_way_is_told_after_what_was_right_and_to_nobody_else(client, order, sentence):
    with (
        client.stream(COUNTING, asking(20, pause_ms=10)) as other,
        client.stream(COUNTING, asking(10, order=order)) as bad,
    ):
        heard = []
        with pytest.raises(Refused, match=sentence):
            heard.extend(int(part.arrays["number"][0]) for part in bad)
            pytest.fail("it ended well")
        assert numbers(other) == list(range(20))


def test_what_goes_wrong_here_keeps_its_name(here):
    with pytest.raises(BadMidi, match="do not swing"):
        list(here.stream(COUNTING, asking(10, order=REFUSE)))


def test_a_request_that_does_not_fit_is_not_sent(asker):
    with pytest.raises(BadInput, match=r"counting: upto is -1; give 0 to 100000"):
        asker.stream(COUNTING, asking(-1))


def test_a_first_part_that_does_not_come_is_too_late(house):
    places = COUNTING.capacity.at_once
    with JamflowClient(house.server.grpc_url) as client:
        playing = [client.stream(COUNTING, asking(1000, pause_ms=100)) for _ in range(places)]
        for parts in playing:
            next(parts)
        began = time.monotonic()
        with pytest.raises(TooLate, match=r"no answer within 0\.4 s"):
            next(client.stream(COUNTING, asking(1), deadline_s=0.4))
        assert 0.4 <= time.monotonic() - began < 0.8
        for parts in playing:
            parts.close()


def test_a_further_part_that_does_not_come_is_too_late(client):
    parts = client.stream(COUNTING, asking(2, pause_ms=3000), deadline_s=0.5)
    next(parts)
    began = time.monotonic()
    with pytest.raises(TooLate, match=r"no answer within 0\.5 s"):
        next(parts)
    assert 0.5 <= time.monotonic() - began < 0.9


def test_silence_within_the_contract_s_patience_is_no_death(client):
    """Longer than the two seconds without a sign of life that a dead process is told by."""
    assert numbers(client.stream(COUNTING, asking(2, pause_ms=2600))) == [0, 1]


def test_too_many_streams_are_refused_with_a_sentence(client):
    most = COUNTING.capacity.at_once + COUNTING.capacity.waiting
    playing = []
    for place in range(most):  # one after the other: requests on streams of their own may overtake one another
        playing.append(client.stream(COUNTING, asking(1000, pause_ms=100)))
        if place < COUNTING.capacity.at_once:
            next(playing[-1])
    time.sleep(0.2)
    with pytest.raises(Busy, match=f"counting: all {most} places are taken. Ask again in a moment."):
        next(client.stream(COUNTING, asking(1)))
    playing[0].close()
    assert numbers([next(playing[-1])]) == [0]  # the one who waited gets the place
    for parts in playing:
        parts.close()
    time.sleep(0.5)
    assert client.prove(COUNTING)


def test_eight_clients_at_once_mix_nothing_up(house):
    def count(place):
        with JamflowClient(house.server.grpc_url, 20.0) as client:
            return numbers(client.stream(COUNTING, asking(100, first=1000 * place, pause_ms=1)))

    with ThreadPoolExecutor(8) as clients:
        heard = list(clients.map(count, range(8)))
    assert heard == [list(range(1000 * place, 1000 * place + 100)) for place in range(8)]


def test_one_client_serves_eight_threads(client):
    with ThreadPoolExecutor(8) as threads:
        heard = list(threads.map(lambda p: numbers(client.stream(COUNTING, asking(50, first=1000 * p))), range(8)))
    assert heard == [list(range(1000 * place, 1000 * place + 50)) for place in range(8)]


def test_a_stream_that_ends_without_its_end_is_broken(house):
    """Nobody says goodbye when a connection is cut."""
    client = JamflowClient(house.server.grpc_url)
    parts = client.stream(COUNTING, asking(100, pause_ms=50))
    next(parts)
    threading.Timer(0.2, client.close).start()
    with pytest.raises(Unavailable):
        list(parts)


def test_a_batched_model_is_whole_as_it_is(client):
    reply = whole(client, ECHO, {"numbers": np.arange(4, dtype=np.int32).reshape(1, 4)})
    assert reply.arrays["numbers"].tolist() == [[0, 1, 2, 3]]


def test_triton_is_told_of_a_stream():
    config = config_pbtxt(COUNTING, [1])
    assert "model_transaction_policy { decoupled: true }" in config
    assert "sequence_batching" not in config
    assert '{ name: "line" data_type: TYPE_FP32 dims: [2, -1] }' in config
