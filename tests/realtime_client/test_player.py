"""The practice room's player: the same for a seed, in order, with every key let go."""

import pytest

from models.music.chords import recognise
from realtime_client.midi_bytes import NOTE_OFF, NOTE_ON
from realtime_client.player import Habits, performance

TIDY = Habits(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def test_the_same_seed_plays_the_same_and_another_plays_another():
    assert performance(7, 30) == performance(7, 30) != performance(8, 30)


@pytest.mark.parametrize("seed", range(5))
def test_times_never_go_back_and_every_key_is_let_go(seed):
    events = performance(seed, 40, tempo_bpm=180).events
    assert [at for at, _ in events] == sorted(at for at, _ in events)
    down: set[int] = set()
    for _, (kind, key, _) in events:
        if kind == NOTE_ON:
            down.add(key)
        elif kind == NOTE_OFF:
            down.discard(key)
    assert not down


def test_tidy_hands_play_the_chords_that_were_meant():
    played = performance(3, 30, habits=TIDY)
    struck: dict[float, list[int]] = {}
    for at, (kind, key, _) in played.events:
        if kind == NOTE_ON:
            struck.setdefault(at, []).append(key)
    assert all(recognise(struck[at]) == chord for at, chord in played.changes)
    assert len(played.changes) > 8


def test_human_hands_come_apart():
    struck = sorted(at for at, (kind, *_) in performance(3, 30).events if kind == NOTE_ON)
    assert len(set(struck)) > 0.9 * len(struck)
