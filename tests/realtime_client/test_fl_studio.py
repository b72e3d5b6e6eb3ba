"""FL Studio's side of the bridge, on stand-ins of FL's modules that keep a song."""

import ast
import importlib.util
import sys
import types
from pathlib import Path

import pytest

from realtime_client.fl_studio import beacons
from realtime_client.fl_studio.beacons import LONGEST, Beacon, command, hint, read_beacon

SCRIPT = Path(beacons.__file__).with_name("device_Jamflow.py")
PPQ = 96


class Studio:
    """FL Studio as its script sees it: a song with a tempo and a place, a port pair and a hint bar."""

    def __init__(self, assigned: bool = True) -> None:
        self.milli_bpm, self.ticks, self.playing, self.recording = 140_000, 0, False, False
        self.beats_a_bar = 4
        self.assigned = assigned
        self.sent: list[bytes] = []
        self.hints: list[str] = []
        self.modules = {
            "device": module("device", isAssigned=lambda: self.assigned, midiOutSysex=self.send),
            "general": module("general", getRecPPQ=lambda: PPQ, getRecPPB=lambda: PPQ * self.beats_a_bar),
            "mixer": module("mixer", getCurrentTempo=lambda: self.milli_bpm),
            "transport": module(
                "transport",
                isPlaying=lambda: int(self.playing),
                isRecording=lambda: int(self.recording),
                getSongPos=self.place,
                start=self.toggle_playing,
                stop=self.stop,
                record=self.toggle_recording,
            ),
            "ui": module("ui", setHintMsg=self.hints.append),
        }

    def send(self, letter: bytes) -> None:
        assert self.assigned, "FL sends nothing without an output port"
        assert isinstance(letter, bytes)
        assert len(letter) <= LONGEST
        assert max(letter[1:-1]) < 0x80
        self.sent.append(letter)

    def place(self, mode: int = -1) -> int:
        assert mode == 2, "ticks from the song's beginning"
        return self.ticks

    def toggle_playing(self) -> None:
        self.playing = not self.playing

    def toggle_recording(self) -> None:
        self.recording = not self.recording

    def stop(self) -> None:
        self.playing, self.ticks = False, 0

    def told(self) -> list[Beacon]:
        """What came out of the port since the last look."""
        letters, self.sent = self.sent, []
        found = [read_beacon(letter) for letter in letters]
        assert None not in found
        return [beacon for beacon in found if beacon]


class Event:
    def __init__(self, sysex: bytes) -> None:
        self.sysex, self.handled = sysex, False


def module(name: str, **functions) -> types.ModuleType:
    made = types.ModuleType(name)
    vars(made).update(functions)
    return made


def loaded(studio: Studio, monkeypatch) -> types.ModuleType:
    for name, stand_in in studio.modules.items():
        monkeypatch.setitem(sys.modules, name, stand_in)
    spec = importlib.util.spec_from_file_location("device_Jamflow", SCRIPT)
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@pytest.fixture
def studio() -> Studio:
    return Studio()


@pytest.fixture
def script(studio, monkeypatch):
    script = loaded(studio, monkeypatch)
    script.OnInit()
    studio.told()
    return script


def test_the_script_is_ascii_that_old_interpreters_read_and_imports_only_what_fl_brings():
    source = SCRIPT.read_bytes().decode("ascii")
    tree = ast.parse(source, feature_version=(3, 6))
    imports = [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    assert sorted(imports) == ["device", "general", "mixer", "transport", "ui"]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert source.startswith("# name=Jamflow\n"), "FL lists a script by this line"


def test_fl_tells_where_it_is_as_soon_as_it_has_the_script(studio, monkeypatch):
    loaded(studio, monkeypatch).OnInit()
    assert studio.told() == [Beacon(140.0, False, False, 0, 1, 1, 4)]
    assert studio.hints == ["Jamflow listens"]


def test_both_sides_write_the_same_bytes(studio, script):
    studio.milli_bpm, studio.playing, studio.recording = 173_512, True, True
    studio.ticks = PPQ * (4 * 700 + 2) + 48
    script.OnUpdateBeatIndicator(2)
    expected = Beacon(173.512, True, True, 960 * (4 * 700 + 2) + 480, 701, 3, 4)
    assert studio.sent == [expected.written()]
    assert studio.told() == [expected]
    assert script.HEAD == beacons.HEAD
    assert script.WIDTHS == beacons.WIDTHS
    assert [beacons.COMMANDS[n] for n in (script.STOP, script.START, script.RECORD, script.TELL)] == [
        "stop",
        "start",
        "record",
        "beacon",
    ]


def test_every_beat_is_told_without_any_idle_event(studio, script):
    studio.playing = True
    for beat in range(8):
        studio.ticks = beat * PPQ
        script.OnUpdateBeatIndicator(1 if beat % 4 == 0 else 2)
        script.OnUpdateBeatIndicator(0)
    told = studio.told()
    assert [(beacon.bar, beacon.beat) for beacon in told] == [(bar, beat) for bar in (1, 2) for beat in (1, 2, 3, 4)]
    assert [beacon.song_ticks for beacon in told] == list(range(0, 8 * 960, 960))


def test_a_new_tempo_a_stop_and_a_jump_are_told_once_each(studio, script):
    studio.milli_bpm = 128_000
    script.OnRefresh(256)
    script.OnIdle()
    assert [beacon.tempo_bpm for beacon in studio.told()] == [128.0]
    studio.playing = True
    script.OnRefresh(256)
    studio.ticks = 16 * PPQ
    script.OnIdle()
    script.OnIdle()
    assert [(beacon.playing, beacon.bar) for beacon in studio.told()] == [(True, 1), (True, 5)]
    studio.stop()
    script.OnIdle()
    script.OnIdle()
    assert studio.told() == [Beacon(128.0, False, False, 0, 1, 1, 4)]


def test_a_loop_that_goes_back_is_told_and_playing_on_is_not(studio, script):
    studio.playing = True
    script.OnIdle()
    studio.told()
    studio.ticks = PPQ
    script.OnIdle()
    assert studio.told() == []
    studio.ticks = 0
    script.OnUpdateBeatIndicator(1)
    studio.ticks = PPQ // 2
    script.OnIdle()
    assert [beacon.song_ticks for beacon in studio.told()] == [0]
    studio.ticks = PPQ // 4
    script.OnIdle()
    assert [beacon.song_ticks for beacon in studio.told()] == [240]


def test_a_song_dragged_while_it_stands_still_is_told(studio, script):
    studio.ticks = PPQ
    script.OnRefresh(4)
    assert [(beacon.playing, beacon.beat) for beacon in studio.told()] == [(False, 2)]


def test_without_an_output_port_nothing_is_sent_and_the_hint_says_why(monkeypatch):
    studio = Studio(assigned=False)
    script = loaded(studio, monkeypatch)
    script.OnInit()
    script.OnUpdateBeatIndicator(1)
    script.OnSysEx(Event(command("beacon")))
    assert studio.sent == []
    assert "same port number" in studio.hints[0]
    studio.assigned = True
    script.OnRefresh(0)
    assert len(studio.told()) == 1


def test_a_hint_is_shown_and_cut_to_what_fl_takes(studio, script):
    event = Event(hint("Am7 → solo"))
    script.OnSysEx(event)
    assert studio.hints[-1] == "Am7 ? solo"
    assert event.handled
    long = hint("a" * 5000)
    assert len(long) == LONGEST
    script.OnSysEx(Event(long))
    assert studio.hints[-1] == "a" * (LONGEST - 7)


def test_transport_commands_do_what_they_say_however_often(studio, script):
    script.OnSysEx(Event(command("start")))
    script.OnSysEx(Event(command("start")))
    script.OnSysEx(Event(command("record")))
    script.OnSysEx(Event(command("record")))
    assert (studio.playing, studio.recording) == (True, True)
    script.OnSysEx(Event(command("stop")))
    assert not studio.playing
    assert [beacon.playing for beacon in studio.told()] == [True, True, True, True, False]


@pytest.mark.parametrize(
    "sysex",
    [
        b"",
        b"\xf0\x43\x10\xf7",
        command("start")[:-1],
        command("start")[:-2] + b"\xf7",
        hint("a" * 5000)[:-1] + b"aa\xf7",
    ],
)
def test_what_others_send_is_left_to_others(studio, script, sysex):
    event = Event(sysex)
    script.OnSysEx(event)
    assert not event.handled
    assert not studio.playing


def test_three_four_and_numbers_beyond_every_width_stay_seven_bit_safe(studio, script):
    studio.beats_a_bar, studio.ticks = 3, PPQ * 5
    script.OnRefresh(0)
    assert [(beacon.bar, beacon.beat, beacon.beats_a_bar) for beacon in studio.told()] == [(2, 3, 3)]
    studio.ticks = 2**40
    script.OnRefresh(0)
    assert max(studio.sent[-1][1:-1]) < 0x80


def test_a_build_that_writes_beats_a_minute_as_they_are_is_understood(studio, script):
    studio.milli_bpm = 92.5
    script.OnRefresh(0)
    assert [beacon.tempo_bpm for beacon in studio.told()] == [92.5]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[:6] + b"\x80" + data[7:],
        lambda data: data[:7] + b"\0\0\0" + data[10:],
        lambda data: b"\xf0\x7e" + data[2:],
        lambda data: data + b"\xf7",
        lambda data: b"",
    ],
)
def test_a_damaged_beacon_is_none(damage):
    whole = Beacon(120.0, True, False, 3840, 2, 1, 4).written()
    assert read_beacon(whole)
    assert read_beacon(damage(whole)) is None
