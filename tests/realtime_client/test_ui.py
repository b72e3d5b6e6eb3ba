"""The process that shows and records, in a real process of its own or with its patience made short."""

import http.client
import json
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import pytest

from realtime_client import messages, ui
from realtime_client.messages import Beat, Control, Happened, Harmony, Hello, Mailbox, Message, Quit, Stage
from realtime_client.page import TOKEN, token_of
from realtime_client.session import jam_home
from realtime_client.settings import JamSettings

ROOT = Path(__file__).resolve().parents[2]


class Others:
    """The letter boxes of main, rt and brain."""

    def __init__(self) -> None:
        self.stage = Stage.anywhere()
        self.boxes = {name: Mailbox(getattr(self.stage, name), self.stage.secret) for name in ("main", "rt", "brain")}
        self.came: dict[str, list[Message]] = {name: [] for name in self.boxes}

    def tell(self, *messages: Message) -> None:
        for message in messages:
            self.boxes["main"].send(message, self.stage.ui)

    def hears(self, name: str, message: Message) -> bool:
        self.came[name] += self.boxes[name].read()
        return message in self.came[name]

    def ask(self, method: str, path: str, body: object = None) -> http.client.HTTPResponse:
        line = http.client.HTTPConnection(*self.stage.ui, timeout=5)
        line.request(method, path, json.dumps(body), {TOKEN: token_of(self.stage)})
        return line.getresponse()

    def state(self) -> dict:
        return json.loads(self.ask("GET", "/state").read())

    def close(self) -> None:
        for box in self.boxes.values():
            box.close()


@pytest.fixture
def others():
    made = Others()
    yield made
    made.close()


@pytest.fixture
def process(others):
    command = [sys.executable, "-m", "realtime_client.ui", others.stage.written(), JamSettings().written()]
    started = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: others.hears("rt", Hello("ui")))
    yield started
    started.kill()
    started.communicate()


def until(true, patience_s: float = 15.0) -> None:
    end = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_it_says_hello_shows_what_comes_and_ends_when_told(process, others):
    until(lambda: others.hears("brain", Hello("ui")))
    others.tell(Beat(0, 3840, 93.0, False, "midi"), Harmony(0, 0, 0, "Am7", True, 1))
    until(lambda: others.state().get("chord", {}).get("symbol") == "Am7")
    assert others.state()["beat"]["tempo_bpm"] == 93.0
    others.tell(Quit())
    assert process.wait(5) == 0
    assert process.stderr.read() == ""


def test_a_control_goes_to_everybody_and_is_shown(process, others):
    until(lambda: others.state())
    assert others.ask("POST", "/control", {"name": "chord_bias", "value": 0.7}).status == 204
    for name in ("rt", "brain"):
        until(lambda name=name: others.hears(name, Control("chord_bias", 0.7)))
    until(lambda: others.state()["controls"]["chord_bias"] == 0.7)


def test_main_is_told_where_the_page_is(process, others):
    def told() -> bool:
        others.came["main"] += others.boxes["main"].read()
        return any(
            isinstance(m, Happened) and m.what == "page" and m.text.endswith(str(others.stage.ui[1]))
            for m in others.came["main"]
        )

    until(told)


def test_a_page_port_that_is_taken_ends_it_with_a_line_and_the_code_that_forbids_a_new_start(others):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = JamSettings(page_port=taken.getsockname()[1])
        command = [sys.executable, "-m", "realtime_client.ui", others.stage.written(), settings.written()]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == ui.USELESS
    assert done.stderr.startswith(f"jamflow: page_port {settings.page_port} is taken")


class Tape:
    """A recorder that remembers."""

    made: list["Tape"]

    def __init__(self, folder: Path) -> None:
        self.folder, self.taken, self.closed = folder, [], False
        Tape.made.append(self)

    def take(self, message: Message) -> None:
        self.taken.append(message)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def tapes(monkeypatch):
    Tape.made = []
    recorder = types.ModuleType("realtime_client.recorder")
    vars(recorder)["Recorder"] = Tape
    monkeypatch.setitem(sys.modules, "realtime_client.recorder", recorder)
    return Tape.made


def standing(others, **settings) -> threading.Thread:
    stand = ui.Stand(others.stage, JamSettings(terminal=False, **settings))
    thread = threading.Thread(target=stand.run)
    thread.start()
    until(lambda: others.hears("rt", Hello("ui")))
    return thread


def test_every_letter_is_recorded_and_the_recording_is_closed_at_the_end(others, tapes, tmp_path):
    thread = standing(others, record=str(tmp_path))
    letters = [Beat(0, 0, 120.0, True, "internal"), Harmony(0, 0, 0, "C", True, 1), Quit()]
    others.tell(*letters)
    thread.join(5)
    assert [tape.folder for tape in tapes] == [tmp_path]
    assert tapes[0].taken == letters
    assert tapes[0].closed


def test_a_recording_begins_and_ends_when_asked_in_a_folder_of_our_own_choice(others, tapes):
    thread = standing(others)
    others.tell(Control("record", "on"), Beat(0, 0, 120.0, True, "internal"))
    until(lambda: tapes and len(tapes[0].taken) >= 2)
    assert tapes[0].folder == jam_home() / "sessions"
    until(lambda: others.state()["recording"])
    others.tell(Control("record", "off"))
    until(lambda: tapes[0].closed)
    others.tell(Quit())
    thread.join(5)
    assert len(tapes) == 1


def test_a_full_disk_ends_the_recording_and_not_the_session(others, tapes, monkeypatch):
    def full(tape: Tape, message: Message) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Tape, "take", full)
    thread = standing(others)
    others.tell(Control("record", "on"))
    until(lambda: any("No space left" in word for word in others.state()["words"]))
    until(lambda: not others.state()["recording"])
    assert thread.is_alive()
    others.tell(Quit())
    thread.join(5)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_ended_from_outside_it_leaves_the_terminal_as_it_was(process, others):
    process.terminate()
    assert process.wait(5) == 0


@pytest.mark.parametrize(("clock", "hinted"), [("fl", True), ("midi", False)])
def test_fl_studio_s_hint_bar_is_told_the_chord_and_nobody_else_s(others, clock, hinted):
    thread = standing(others, clock=clock)
    others.tell(Harmony(0, 0, 0, "Am7", True, 1))
    until(lambda: others.state()["chord"]["symbol"] == "Am7")
    time.sleep(0.3)
    assert others.hears("rt", Control("hint", "Jamflow: Am7 (no server)")) == hinted
    others.tell(Quit())
    thread.join(5)


def test_it_ends_by_itself_when_main_is_gone(others, monkeypatch):
    monkeypatch.setattr(messages, "ALONE_S", 1.0)
    thread = standing(others)
    for _ in range(4):
        others.tell(Hello("main"))
        time.sleep(0.4)
    assert thread.is_alive()
    thread.join(5)
    assert not thread.is_alive()
