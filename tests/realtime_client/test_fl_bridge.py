"""From a letter to FL Studio's script and back, through a real rt and ports of our own."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from realtime_client.fl_studio.beacons import Beacon, command, hint
from realtime_client.messages import Beat, Control, Hello, Mailbox, Quit, Stage
from realtime_client.ports import open_input, open_output
from realtime_client.settings import JamSettings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bridge():
    """rt between two cables, and the ends that FL Studio would hold: what it hears, and where it speaks."""
    stage, name = Stage.anywhere(), f"inside:bridge {os.getpid()}"
    settings = JamSettings(input_port=f"{name} in", output_port=f"{name} out", clock="fl")
    command = [sys.executable, "-m", "realtime_client.rt", stage.written(), settings.written()]
    with (
        contextlib.closing(Mailbox(stage.ui, stage.secret)) as ui,
        contextlib.closing(open_input(settings.output_port)) as ear,
    ):
        process = subprocess.Popen(command, cwd=ROOT)
        letters = []

        def hears(true) -> bool:
            letters.extend(ui.read())
            return any(map(true, letters))

        until(lambda: hears(lambda letter: isinstance(letter, Beat)))
        with contextlib.closing(open_output(settings.input_port)) as mouth:
            yield ui, stage, ear, mouth, hears
        ui.send(Quit(), stage.rt)
        process.wait(5)


def until(true, patience_s: float = 10.0) -> None:
    end = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_hint_and_a_transport_command_reach_fl_and_nonsense_does_not(bridge):
    ui, stage, ear, _, _ = bridge
    ui.send(Hello("ui"), stage.rt)
    heard = []
    for turned in (Control("fl", "explode"), Control("hint", "Jamflow: Am7"), Control("fl", "start")):
        ui.send(turned, stage.rt)
    until(lambda: heard.extend(bytes(arrival.data) for arrival in ear.read()) or command("start") in heard)
    assert [letter for letter in heard if letter[0] == 0xF0] == [hint("Jamflow: Am7"), command("start")]


def test_fl_s_tempo_is_followed(bridge):
    _, _, _, mouth, hears = bridge
    for beat in (1, 2, 3):
        mouth.send(tuple(Beacon(173.5, True, False, 960 * beat, 1, beat + 1, 4).written()))
        time.sleep(0.1)
    until(
        lambda: hears(
            lambda letter: isinstance(letter, Beat) and letter.source == "fl" and abs(letter.tempo_bpm - 173.5) < 0.5
        )
    )
