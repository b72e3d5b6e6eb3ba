"""What is told of a session: each figure on letters whose truth is known."""

import json

import pytest

from realtime_client.kpi import Session
from realtime_client.messages import Asked, Beat, Happened, Harmony, Played, Status
from realtime_client.report import told, write_report

MS, S = 1_000_000, 1_000_000_000
BEAT = Beat(0, 0, 120.0, True, "internal")
"""960 ticks are half a second."""


def note(at_ms, onset, duration=480, source="model", epoch=1, late_ms=1.0, pitch=60):
    at_ns = round(at_ms * MS)
    return Played(at_ns, at_ns - round(late_ms * MS), pitch, 80, onset, duration, source, epoch)


def answer(epoch, trigger_ms, sent_ms, first_ms, start=0, length=7680, outcome="whole"):
    sent_ns, first_ns = round(sent_ms * MS), round(first_ms * MS)
    return Asked(epoch, round(trigger_ms * MS), sent_ns, first_ns, first_ns + 100 * MS, start, length, 8, outcome)


def chord(first_ms, epoch, symbol="Am7", settled=True):
    return Harmony(round(first_ms * MS), round(first_ms * MS), 0, symbol, settled, epoch)


def figures(*letters):
    return Session.of([BEAT, *letters]).figures()


def test_a_first_note_is_counted_from_the_chords_first_key_and_split_by_stage():
    told = figures(chord(2000, 1), answer(1, 2000, 2004, 2024), note(2010, 3859, source="pickup"), note(2027, 3892))
    wanted = {
        "ttfn_any_ms": 10,
        "ttfn_model_ms": 27,
        "chord_to_request_ms": 4,
        "request_to_note_ms": 20,
        "note_to_port_ms": 3,
    }
    assert {name: told[f"{name}_p50"] for name in wanted} == pytest.approx(wanted)


def test_a_chord_within_a_solo_counts_in_beats_and_not_as_a_first_note():
    told = figures(
        chord(2000, 1),
        note(2020, 3878),
        note(2500, 4800),
        chord(2600, 2, "D7"),
        note(2900, 5568),
        note(3100, 5952, epoch=2),
    )
    assert told["ttfn_any_ms_p99"] == pytest.approx(20)
    assert told["harmony_beats_p50"] == pytest.approx(1.0)


def test_a_chord_that_nobody_answered_has_no_first_note():
    assert "ttfn_any_ms_p50" not in figures(chord(2000, 1))


def test_jitter_is_the_distance_from_the_median_lateness():
    told = figures(*(note(1000 * n, 1920 * n, late_ms=late) for n, late in enumerate([1.0, 1.0, 1.0, 1.0, 4.0])))
    assert told["lateness_ms_p50"] == pytest.approx(1.0)
    assert told["jitter_ms_p99"] == pytest.approx(3.0)


def test_a_rest_that_the_model_meant_is_no_dead_air_and_one_that_it_did_not_is():
    phrase = [note(1000, 1920), note(3000, 5760), note(6000, 11520)]
    assert figures(*phrase, answer(1, 0, 900, 950, start=1920, length=11520))["dead_air_gaps"] == 0
    assert figures(*phrase, answer(1, 0, 900, 950, start=1920, length=4800))["dead_air_gaps"] == 1
    assert figures(*phrase, answer(1, 0, 900, 950, 1920, 11520, outcome="late"))["dead_air_gaps"] == 2


def test_how_far_ahead_is_counted_once_it_plays():
    statuses = [
        Status(s * S, 1920 * s, 1920 * s + ahead, 0, 0, 0, 0, 0, 0, False, True, True)
        for s, ahead in ((1, 0), (4, 5760), (5, 3840))
    ]
    told = figures(*statuses, note(1000, 1920), note(6000, 11520))
    assert told["bars_ahead_min"] == pytest.approx(1.0)


def test_shares_count_notes_by_who_thought_of_them():
    told = figures(note(1000, 1920), note(1500, 2880, source="fallback"), Happened(0, "rt", "underrun", ""))
    assert (told["hit_rate"], told["fallback_share"], told["underrun"]) == (0.5, 0.5, 1)


def test_what_arrived_says_how_late_and_what_was_never_let_go(tmp_path):
    heard = [(1002, (0x90, 60, 80)), (1500, (0x80, 60, 0)), (2004, (0x90, 62, 80))]
    probe = tmp_path / "heard.jsonl"
    probe.write_text("".join(json.dumps({"at_ns": at * MS, "data": data}) + "\n" for at, data in heard))
    session = Session.of([BEAT, note(1001, 1920), note(2001, 3840, pitch=62)])
    session.arrived = Session.read(_empty(tmp_path), probe).arrived
    told = session.figures()
    assert told["arrival_ms_p50"] in (pytest.approx(2.0), pytest.approx(4.0))
    assert told["stuck_notes"] == 1


def test_a_report_is_lines_a_page_and_a_picture(tmp_path):
    from realtime_client.recorder import Recorder

    recorder = Recorder(tmp_path)
    for letter in (
        BEAT,
        chord(2000, 1),
        answer(1, 2000, 2004, 2024),
        note(2027, 3892),
        note(2500, 4800, source="fallback"),
    ):
        recorder.take(letter)
    recorder.close()
    lines = "\n".join(write_report(tmp_path / "session_1.jsonl"))
    assert "first note of the model                 27.00    27.00 ms" in lines
    page = (tmp_path / "session_1.html").read_text()
    assert "first note of anything" in page
    assert 'class="fallback"' in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert (tmp_path / "session_1.png").read_bytes().startswith(b"\x89PNG")


def test_an_empty_session_is_told_too(tmp_path):
    assert list(told(Session.read(_empty(tmp_path)).figures()))
    assert list(write_report(_empty(tmp_path)))


def _empty(folder):
    file = folder / "session_9.jsonl"
    file.write_text("")
    return file
