"""The terminal view, read as a newcomer reads it."""

import io
import time

import pytest
from rich.console import Console

from realtime_client.desk import Desk
from realtime_client.messages import Beat, Happened, Harmony, Played, Server, Status
from realtime_client.settings import JamSettings
from realtime_client.terminal import PAST, Terminal, view

S, BAR, Q = 1_000_000_000, 3840, 960


@pytest.fixture
def desk() -> Desk:
    desk = Desk(JamSettings(server="127.0.0.1:8001"), "http://127.0.0.1:4711")
    desk.take(Server("ready", "plays jam 3", ("swing",), 14.2))
    desk.take(Beat(20 * S, 10 * BAR, 120.0, True, "internal"))
    desk.take(Harmony(16 * S, 16 * S, 8 * BAR, "Am7", True, 1))
    for step in range(32):
        desk.take(Played(16 * S + step * S // 8, 0, 60 + step % 12, 90, 8 * BAR + step * 240, 240, "model", 1))
    desk.take(Status(20 * S, 10 * BAR, 11 * BAR, 0, 0, 0, 0, 0, 0, False, True, True))
    return desk


def shown(desk: Desk, now_ns: int = 20 * S) -> list[str]:
    screen = Console(width=80, file=io.StringIO(), no_color=True)
    screen.print(view(desk, now_ns))
    return screen.file.getvalue().splitlines()  # type: ignore[attr-defined]


def test_eighty_columns_without_colour_tell_everything(desk):
    lines = shown(desk)
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 22
    text = "\n".join(lines)
    for word in ("♩ 120.0 internal", "bar 11  beat 1/4", "server ready, 14 ms", "Am7", "1.0 bars", "32 notes (100% by"):
        assert word in text


def test_a_note_is_a_block_in_the_row_of_its_pitch_and_the_last_one_ends_at_now(desk):
    rows = [line for line in shown(desk) if "│" in line]
    blocks = [row[5 : 5 + PAST] for row in rows]
    last = {column for row in blocks for column, mark in enumerate(row) if mark != " "}
    assert last == set(range(PAST - 32, PAST))
    assert all(sum(row[column] != " " for row in blocks) == 1 for column in last)


def test_what_is_known_ahead_is_a_line_as_long_as_that(desk):
    ruler = next(line for line in shown(desk) if "┼" in line)
    assert ruler.partition("┼")[2] == "━" * 16 + "┄" * 8


def test_a_port_that_is_gone_and_a_fallback_are_said(desk):
    desk.take(Status(20 * S, 10 * BAR, 10 * BAR, 0, 0, 0, 0, 0, 4, True, False, True))
    text = "\n".join(shown(desk))
    assert "no MIDI input" in text
    assert "fallback phrase" in text
    assert "gaps filled 4" in text


def test_before_anything_has_come_it_says_what_to_do():
    text = "\n".join(shown(Desk(JamSettings()), 0))
    assert "play one" in text
    assert "no server" in text


def test_the_longest_of_everything_still_fits_in_its_line(desk):
    desk.take(Beat(20 * S, 9_999 * BAR, 120.0, False, "internal"))
    desk.take(Server("connecting", "", (), 0.0))
    desk.take(Happened(0, "brain", "reconnected", "a long story " * 20))
    lines = shown(desk)
    assert max(map(len, lines)) <= 80
    assert "internal, stopped" in lines[0]
    assert lines[0].endswith("server connecting")


def test_a_low_bass_and_a_high_flute_both_stay_on_the_screen(desk):
    for pitch in (20, 120):
        desk.take(Played(20 * S, 0, pitch, 90, 10 * BAR - 240, 240, "model", 1))
    rows = [line for line in shown(desk) if "│" in line]
    assert rows[0][5 + PAST - 1] != " "
    assert rows[-1][5 + PAST - 1] != " "


def test_where_there_is_no_terminal_each_event_is_one_line(desk, capsys):
    with Terminal(Console(file=io.StringIO())) as terminal:
        desk.take(Happened(0, "brain", "reconnected", "answers again"))
        terminal.draw(desk, 20 * S)
        terminal.draw(desk, 20 * S)
        desk.take(Happened(0, "rt", "underrun", "a gap was filled"))
        terminal.draw(desk, 20 * S)
    assert capsys.readouterr().out == "  brain: answers again\n  rt: a gap was filled\n"


def test_drawing_eight_times_a_second_costs_little_of_a_core(desk):
    screen = Console(width=80, height=25, file=io.StringIO(), force_terminal=True)
    with Terminal(screen) as terminal:
        terminal.draw(desk, 20 * S)
        costs = []
        for _ in range(5):
            began = time.process_time()
            for frame in range(8):
                terminal.draw(desk, 20 * S + frame * S // 8)
            costs.append(time.process_time() - began)
    assert min(costs) < 0.05
