"""A session remembers, answers one request after the other, and leaves nothing behind when its listener has gone."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from remembering_model import GROW, REMEMBERING, REPORT, RememberingPlayer

from models.music.errors import BadInput, Busy, Unavailable
from serving.asker import whole
from serving.client import JamflowClient
from serving.contract import config_pbtxt
from serving.in_process import InProcess
from serving.streams import ServedSession

MOST = REMEMBERING.capacity.sessions


def asking(count, **more):
    kinds = {"pause_ms": np.float32, "order": np.int32}
    return {"count": np.array([count], np.int32), **{name: np.array([v], kinds[name]) for name, v in more.items()}}


def numbers(parts):
    return [int(part.arrays["number"][0]) for part in parts]


def report(client):
    """How many sessions there are beside the one that asks, and the megabytes that their process holds."""
    with client.session(REMEMBERING) as session:
        (told,) = session.ask(asking(1, order=REPORT))
    return int(told.arrays["number"][0]) - 1, int(told.arrays["at_once"][0])


def until_sessions(client, wanted, seconds=4.0):
    end = time.monotonic() + seconds
    while (left := report(client)[0]) != wanted:
        assert time.monotonic() < end, f"{left} sessions are left"
        time.sleep(0.1)


def vanish(session):
    """Go away as a listener does whose machine was switched off: without a word."""
    assert isinstance(session, ServedSession)
    session._call.close(cancel=True)


@pytest.fixture(params=["here", "client"])
def asker(request):
    return InProcess("", player=RememberingPlayer()) if request.param == "here" else request.getfixturevalue("client")


def test_a_session_goes_on_where_it_was(asker):
    with asker.session(REMEMBERING) as session:
        assert numbers(session.ask(asking(3))) == [0, 1, 2]
        assert numbers(session.ask(asking(2))) == [3, 4]
    with asker.session(REMEMBERING) as another:
        assert numbers(another.ask(asking(2))) == [0, 1]


def test_a_whole_answer_is_that_of_a_new_session(asker):
    for _ in range(2):
        assert whole(asker, REMEMBERING, asking(4)).arrays["number"].tolist() == [0, 1, 2, 3]


def test_requests_of_one_session_wait_for_one_another(asker):
    with asker.session(REMEMBERING) as session:
        answers = [session.ask(asking(20, pause_ms=2)) for _ in range(4)]
        heard = [list(parts) for parts in answers]
    assert numbers(itertools.chain(*heard)) == list(range(80))
    assert {int(part.arrays["at_once"][0]) for part in itertools.chain(*heard)} == {1}


def test_stop_ends_what_plays_within_a_part_and_is_answered(asker):
    with asker.session(REMEMBERING) as session:
        playing, waiting = session.ask(asking(1000, pause_ms=100)), None
        heard = numbers([next(playing), next(playing)])
        if isinstance(session, ServedSession):
            waiting = session.ask(asking(1000))
        began = time.monotonic()
        session.stop()
        assert time.monotonic() - began < 0.1
        heard += numbers(playing)
        assert heard in ([0, 1], [0, 1, 2])
        assert waiting is None or numbers(waiting) == []  # what was asked before is silent too
        assert numbers(session.ask(asking(2))) == [len(heard), len(heard) + 1]


def test_stop_comes_from_another_thread(client):
    with client.session(REMEMBERING) as session:
        playing = session.ask(asking(1000, pause_ms=20))
        next(playing)
        threading.Timer(0.2, session.stop).start()
        assert 3 < len(list(playing)) < 30


@pytest.mark.parametrize("leave", [lambda parts: parts.close(), lambda parts: None], ids=["closed", "dropped"])
def test_an_answer_left_early_ends_and_the_session_goes_on(asker, leave):
    with asker.session(REMEMBERING) as session:
        parts = session.ask(asking(1000, pause_ms=50))
        assert numbers([next(parts)]) == [0]
        leave(parts)
        del parts
        (following,) = numbers(session.ask(asking(1)))
        assert following in (1, 2)


def test_a_bad_request_leaves_the_session_as_it_was(asker):
    with asker.session(REMEMBERING) as session:
        assert numbers(session.ask(asking(2))) == [0, 1]
        with pytest.raises(BadInput, match="count is -1; give 0 to 100000"):
            session.ask(asking(-1))
        assert numbers(session.ask(asking(1))) == [2]


def test_eight_sessions_at_once_mix_nothing_up(house):
    def converse(_):
        with JamflowClient(house.server.grpc_url, 20.0) as client, client.session(REMEMBERING) as session:
            return [numbers(session.ask(asking(10, pause_ms=1))) for _ in range(5)]

    with ThreadPoolExecutor(8) as clients:
        heard = list(clients.map(converse, range(8)))
    assert heard == [[list(range(10 * turn, 10 * turn + 10)) for turn in range(5)]] * 8


def test_a_session_that_was_closed_is_gone(client):
    until_sessions(client, 0)
    session = client.session(REMEMBERING)
    list(session.ask(asking(1)))
    session.close()
    assert report(client)[0] == 0
    with pytest.raises(Unavailable, match="closed here"):
        session.ask(asking(1))


def test_two_hundred_sessions_opened_and_abandoned_leave_nothing(client):
    until_sessions(client, 0)
    before = report(client)[1]
    opened = 0
    while opened < 200:
        try:
            session = client.session(REMEMBERING)
        except Busy:  # those who went are noticed four times a second
            time.sleep(0.05)
            continue
        opened += 1
        next(session.ask(asking(1000, pause_ms=10)))
        vanish(session)
    until_sessions(client, 0)
    assert report(client)[1] < before + 30  # megabytes; together they kept a hundred


def test_too_many_sessions_are_refused_and_a_place_is_free_again(client):
    until_sessions(client, 0)
    opened = [client.session(REMEMBERING) for _ in range(MOST)]
    with pytest.raises(Busy, match=f"remembering: all {MOST} places are taken"):
        client.session(REMEMBERING)
    opened[0].close()
    with client.session(REMEMBERING) as session:
        assert numbers(session.ask(asking(1))) == [0]
    for session in opened:
        session.close()


def test_a_session_that_asks_for_nothing_is_ended_and_says_so(client):
    session = client.session(REMEMBERING)
    assert numbers(session.ask(asking(1))) == [0]
    time.sleep(REMEMBERING.capacity.idle_s + 0.8)
    with pytest.raises(Unavailable, match=r"this session has ended: it was idle too long.*Open a new one"):
        list(session.ask(asking(1)))
    session.close()


def test_a_session_that_plays_for_long_is_not_idle(client):
    pauses = 1000 * (REMEMBERING.capacity.idle_s + 0.8) / 4
    with client.session(REMEMBERING) as session:
        assert numbers(session.ask(asking(4, pause_ms=pauses))) == [0, 1, 2, 3]
        assert numbers(session.ask(asking(1))) == [4]


def test_where_memory_is_short_the_longest_idle_session_goes(client):
    until_sessions(client, 0)
    sessions = []
    for _ in range(5):  # of ten megabytes each; forty are allowed
        sessions.append(client.session(REMEMBERING))
        assert numbers(sessions[-1].ask(asking(1, order=GROW))) == [0]
        time.sleep(0.1)
    time.sleep(0.4)
    with pytest.raises(Unavailable, match="this session has ended"):
        list(sessions[0].ask(asking(1)))
    assert numbers(sessions[4].ask(asking(1))) == [1]
    for session in sessions:
        session.close()


def test_triton_is_told_of_a_session():
    config = config_pbtxt(REMEMBERING, [1])
    assert "oldest { max_candidate_sequences: 4096 }" in config
    assert '{ name: "count" data_type: TYPE_INT32 dims: [1] optional: true }' in config
    assert "decoupled: true" in config
