"""An assistant at the desk: the package's own client, a real page, and a session's letter boxes."""

import asyncio
import inspect
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import mcp
import mido
import pytest

from models.music.finding import Finding
from realtime_client import doctor, ui
from realtime_client import main as commands
from realtime_client.assistant import READS, WRITES, Assistant, server
from realtime_client.messages import Beat, Control, Harmony, Heard, Hello, Mailbox, Message, Played, Quit, Server, Stage
from realtime_client.session import Running, announced, jam_home
from realtime_client.settings import JamSettings

ROOT = Path(__file__).resolve().parents[2]
BAR = 3840


class Session:
    """A ui that runs, and the boxes of the others."""

    def __init__(self) -> None:
        self.stage = Stage.anywhere()
        self.main = Mailbox(self.stage.main, self.stage.secret)
        self.rt = Mailbox(self.stage.rt, self.stage.secret)
        self.thread = threading.Thread(target=ui.Stand(self.stage, JamSettings(terminal=False)).run)
        self.thread.start()
        end = time.monotonic() + 10
        while Hello("ui") not in list(self.rt.read()):  # before that nobody reads its letters
            assert time.monotonic() < end
            time.sleep(0.01)

    def tell(self, *messages: Message) -> None:
        for message in messages:
            self.main.send(message, self.stage.ui)

    def play(self) -> None:
        self.tell(
            Server("ready", "plays jam 3", ("swing", "bossa"), 14.0),
            Beat(0, 4 * BAR, 120.0, False, "internal"),
            Harmony(0, 0, 2 * BAR, "Dm7", True, 1),
            Harmony(0, 1, 3 * BAR, "G7", True, 2),
            *(Played(0, 0, 60 + step, 90, 2 * BAR + step * 960, 480, "model", 1) for step in range(8)),
            Heard(0, (0x90, 50, 70)),
            Heard(0, (0x80, 50, 0)),
        )

    def turned(self, patience_s: float = 5.0) -> Control:
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            for message in self.rt.read():
                if isinstance(message, Control):
                    return message
            time.sleep(0.02)
        raise AssertionError("nothing was turned")

    def close(self) -> None:
        self.tell(Quit())
        self.thread.join(5)
        self.main.close()
        self.rt.close()


@pytest.fixture
def session():
    made = Session()
    with announced(Running(made.stage, 4711)):
        made.play()
        yield made
    made.close()


class Minutes:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def call(assistant: Assistant, tool: str, **arguments: Any) -> Any:
    """Call a tool through the package's own client; an error is its sentence."""

    async def asked():
        async with mcp.Client(server(assistant)) as client:
            return await client.call_tool(tool, arguments)

    answer = asyncio.run(asked())
    if answer.is_error:
        return "refused: " + words_of(answer)
    return (answer.structured_content or {}).get("result", answer.structured_content)


def words_of(answer: Any) -> str:
    return "".join(block.text for block in answer.content)


def until_it_knows(assistant: Assistant, chord: str) -> dict:
    end = time.monotonic() + 5
    while (status := call(assistant, "status"))["chord"]["symbol"] != chord:
        assert time.monotonic() < end
    return status


def test_every_tool_is_there_tells_what_it_does_and_none_takes_a_path():
    async def listed():
        async with mcp.Client(server(Assistant())) as client:
            return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in asyncio.run(listed())}
    assert set(tools) == {*READS, *WRITES}
    for name, tool in tools.items():
        assert tool.description, name
        assert tool.annotations, name
        assert tool.annotations.read_only_hint == (name in READS), name
        words = json.dumps(tool.input_schema).lower()
        assert not [word for word in ("path", "file", "folder", "directory") if word in words], name


def test_status_chords_and_solo_are_what_was_played(session):
    assistant = Assistant()
    status = until_it_knows(assistant, "G7")
    assert status["server"]["state"] == "ready"
    assert status["armed_minutes"] == 0
    assert call(assistant, "chords") == [
        {"bar": 3, "beat": 1.0, "chord": "Dm7"},
        {"bar": 4, "beat": 1.0, "chord": "G7"},
    ]
    solo = call(assistant, "last_solo", bars=1)
    assert [note["pitch"] for note in solo] == [64, 65, 66, 67]
    assert solo[0] == {"bar": 4, "beat": 1.0, "pitch": 64, "velocity": 90, "beats": 0.5}


WRITING = {
    "start": ({}, Control("start")),
    "stop": ({}, Control("stop")),
    "style": ({"name": "swing"}, Control("style", "swing")),
    "temperature": ({"value": 1.1}, Control("temperature", 1.1)),
    "chord_bias": ({"value": 0.5}, Control("chord_bias", 0.5)),
    "lookahead": ({"bars": 2}, Control("lookahead_bars", 2.0)),
    "tempo": ({"source": "midi"}, Control("clock", "midi")),
    "record": ({"on": False}, Control("record", "off")),
    "fl_transport": ({"action": "record"}, Control("fl", "record")),
}


@pytest.mark.parametrize("tool", WRITING)
def test_what_changes_something_is_refused_until_armed_and_then_done(session, tool):
    arguments, turned = WRITING[tool]
    minutes = Minutes()
    assistant = Assistant(clock=minutes)
    until_it_knows(assistant, "G7")
    assert "Not armed" in call(assistant, tool, **arguments)
    assert call(assistant, "arm", minutes=5) == "Armed for 5 minutes."
    assert "done" in call(assistant, tool, **arguments)
    assert session.turned() == turned
    minutes.now_s = 5 * 60
    assert "Not armed" in call(assistant, tool, **arguments)


def test_nothing_that_writes_was_forgotten_above():
    assert set(WRITES) == {*WRITING, "arm", "panic", "export"}


def test_panic_needs_no_arming(session):
    assert call(Assistant(), "panic") == "Silence."
    assert session.turned() == Control("panic")


def test_an_export_is_a_midi_file_of_two_tracks_in_jamflow_s_home(session):
    assistant = Assistant()
    until_it_knows(assistant, "G7")
    assert "Not armed" in call(assistant, "export")
    assistant.arm(1)
    for _ in range(2):
        assert str(jam_home() / "takes") in call(assistant, "export", bars=2)
    files = sorted((jam_home() / "takes").iterdir())
    assert len(files) == 2
    kept = mido.MidiFile(files[0])
    you, solo = kept.tracks
    assert [message.text for message in you if message.type == "marker"] == ["Dm7", "G7"]
    ons = [message for message in solo if message.type == "note_on"]
    assert [message.note for message in ons] == list(range(60, 68))
    assert sum(message.time for message in solo) == 7 * 960 + 480


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("temperature", {"value": 9}, "temperature is 9; give 0 to 4."),
        ("style", {"name": "polka"}, "the server has swing, bossa"),
        ("tempo", {"source": "fl", "bpm": 120}, "leave bpm out"),
        ("arm", {"minutes": 1e6}, "give 0 (disarm) to 120"),
        ("last_solo", {"bars": 0}, "give 1 to 64"),
    ],
)
def test_a_wrong_value_is_answered_in_a_sentence(session, tool, arguments, sentence):
    assistant = Assistant(armed_min=1)
    until_it_knows(assistant, "G7")
    assert sentence in call(assistant, tool, **arguments)


def test_without_a_session_it_says_how_one_begins():
    for tool in ("status", "chords", "panic"):
        assert "jamflow jam play" in call(Assistant(armed_min=1), tool)


def test_a_session_file_that_a_killed_session_left_is_no_session(tmp_path):
    stage = Stage.anywhere()
    with announced(Running(stage, 4711)):  # nobody listens at its ports
        assert "No session runs" in call(Assistant(), "status")


def test_reports_ports_and_doctor_are_the_commands_own(monkeypatch):
    monkeypatch.setattr(commands, "report", lambda folder: ["TTFN p50 14 ms"], raising=False)
    monkeypatch.setattr(commands, "devices", lambda: ["in   IAC 1"], raising=False)
    monkeypatch.setattr(doctor, "checks", lambda settings: [Finding("Server", "good", "plays jam")])
    assert call(Assistant(), "report") == "TTFN p50 14 ms"
    assert call(Assistant(), "ports") == "in   IAC 1"
    assert call(Assistant(), "doctor") == "✔ Server  plays jam"


def test_the_command_speaks_over_standard_input_and_output_and_ends_with_it():
    started = mcp.StdioServerParameters(command=sys.executable, args=["-m", "pipelines.cli", "mcp"], cwd=str(ROOT))

    async def asked():
        async with mcp.Client(started) as client:
            return await client.call_tool("status", {})

    answer = asyncio.run(asyncio.wait_for(asked(), 60))
    assert answer.is_error
    assert "No session runs" in words_of(answer)


def test_help_needs_no_package_and_its_absence_is_one_line():
    code = (
        "import sys; sys.modules['mcp'] = None; sys.modules['mcp.server.mcpserver'] = None;"
        "from pipelines.cli import main; sys.exit(main(['mcp']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == 'jamflow: mcp: its package is not installed. pip install "jamflow[realtime,mcp]"\n'


def test_every_method_that_is_a_tool_has_a_docstring_for_whoever_has_no_manual():
    for name in (*READS, *WRITES):
        assert inspect.getdoc(getattr(Assistant, name)), name
