import io
import sys

import pytest

from models.learning import progress
from models.learning.progress import Progress, duration


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_a_log_file_gets_a_line_now_and_then_with_step_loss_speed_and_time_left(clock, monkeypatch):
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    with Progress(steps=1000, done=200) as show:
        for step in range(201, 301):
            clock.now += 0.25
            show(step, 0.5)
    lines = said.getvalue().splitlines()
    assert lines[0] == "step 240 of 1,000 | loss 0.5 | 4 steps/s | 3 min 10 s left"
    assert len(lines) == 2


def test_the_last_step_is_always_told(clock, monkeypatch):
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    with Progress(steps=2) as show:
        clock.now += 1
        show(2, 0.25)
    assert said.getvalue() == "step 2 of 2 | loss 0.25 | 2 steps/s | 0 s left\n"


def test_a_limit_in_minutes_shortens_the_time_left(clock):
    bar = Progress(steps=10_000, minutes=1)
    with bar:
        clock.now += 20
        assert bar.line(100, 1.0).endswith("| 40 s left")


def test_a_terminal_gets_a_bar_that_goes_when_it_is_over(clock, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    said = Terminal()
    monkeypatch.setattr(sys, "stderr", said)
    monkeypatch.setenv("TERM", "xterm")
    with Progress(steps=10) as show:
        clock.now += 2
        show(5, 0.5)
    assert "step 5 of 10 | loss 0.5 | 2.5 steps/s | 2 s left" in said.getvalue()


def test_an_unseen_training_says_nothing(monkeypatch):
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    with Progress(steps=1, visible=False) as show:
        show(1, 0.5)
    assert said.getvalue() == ""


def test_a_time_is_told_in_its_two_largest_units():
    assert [duration(s) for s in (9.6, 80, 7_500)] == ["10 s", "1 min 20 s", "2 h 5 min"]
