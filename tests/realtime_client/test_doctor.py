"""What `jamflow jam doctor` finds, on made-up MIDI systems and real sockets."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from models.music.errors import BadConfig
from models.music.finding import Finding, told
from realtime_client import doctor
from realtime_client.doctor import FL_HARDWARE, SCRIPT, bridge, checks, clock, feedback, page, port, priority, recording
from realtime_client.messages import Stage
from realtime_client.session import Running, announced
from realtime_client.settings import JamSettings
from serving.server import TritonServer


class Opened:
    def __init__(self, name: str) -> None:
        self.name, self.closed = name, False

    def close(self) -> None:
        self.closed = True


class Cables:
    """A MIDI system with these ports; `virtual` where it can make its own."""

    def __init__(self, *names: str, virtual: bool = True) -> None:
        self.names, self.virtual = names, virtual
        self.opened: list[Opened] = []

    def open_input(self, name: str) -> Opened:
        return self._open(name, "Jamflow in")

    def open_output(self, name: str) -> Opened:
        return self._open(name, "Jamflow out")

    def list_ports(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self.names, self.names

    def _open(self, name: str, ours: str) -> Opened:
        if not name and not self.virtual:
            raise BadConfig("input port: Windows has no virtual ones. Make one with loopMIDI and give its name.")
        if name and not any(name in known for known in self.names):
            raise BadConfig(f"input port {name!r} is not there. There are: {', '.join(self.names)}.")
        self.opened.append(Opened(name or ours))
        return self.opened[-1]


def found(settings: JamSettings, cables: Cables, tmp_path: Path) -> dict[str, Finding]:
    return {finding.what: finding for finding in checks(settings, cables, tmp_path)}


def test_a_good_set_up_has_nothing_missing_and_every_port_is_closed_again(tmp_path):
    cables = Cables()
    findings = found(JamSettings(), cables, tmp_path)
    assert not [finding for finding in findings.values() if finding.state == "missing"]
    assert findings["Input"].found == "a virtual port, 'Jamflow in'"
    assert findings["Server"].state == "optional"
    assert [opened.closed for opened in cables.opened] == [True, True]


def test_windows_without_loopmidi_is_told_to_make_one(tmp_path):
    finding = found(JamSettings(), Cables(virtual=False), tmp_path)["Input"]
    assert (finding.state, finding.found) == ("missing", "input port: Windows has no virtual ones")
    assert "loopMIDI" in finding.advice


def test_a_port_that_is_not_there_is_named_beside_those_that_are(tmp_path):
    finding = found(JamSettings(input_port="keystep"), Cables("IAC 1", "IAC 2"), tmp_path)["Input"]
    assert finding.found == "input port 'keystep' is not there"
    assert finding.advice == "There are: IAC 1, IAC 2."


def test_a_port_of_our_own_says_that_no_daw_sees_it():
    assert port("Input", "inside:keys", Opened).state == "optional"


def test_one_cable_for_both_directions_is_a_loop_on_itself():
    finding = feedback(JamSettings(input_port="jam", output_port="JAM"), ("Jamflow",), ("Jamflow",))
    assert finding
    assert finding.state == "missing"
    assert "it would hear itself" in finding.found


def test_windows_numbers_its_ports_apart_but_the_cable_is_the_same(monkeypatch):
    monkeypatch.setattr(doctor.sys, "platform", "win32")
    settings = JamSettings(input_port="loop", output_port="loop")
    finding = feedback(settings, ("loop 0",), ("loop 1",))
    assert finding
    assert finding.state == "missing"


def test_two_cables_are_good_and_a_name_that_fits_several_is_said():
    good = feedback(JamSettings(input_port="in", output_port="out"), ("IAC in",), ("IAC out",))
    several = feedback(JamSettings(input_port="in", output_port="out"), ("IAC in", "main"), ("IAC out",))
    assert good
    assert good.state == "good"
    assert several
    assert several.found == "2 ports have this name"
    assert feedback(JamSettings(), (), ()) is None


def test_fl_s_script_is_looked_for_where_fl_looks_and_compared(tmp_path):
    settings = JamSettings(clock="fl")
    assert bridge(settings, tmp_path).state == "optional"
    folder = tmp_path / "Documents" / FL_HARDWARE / "Jamflow"
    folder.parent.mkdir(parents=True)
    absent = bridge(settings, tmp_path)
    assert absent.state == "missing"
    assert absent.advice == f"copy {SCRIPT} into {folder}"
    folder.mkdir()
    shutil.copy(SCRIPT, folder)
    there = bridge(settings, tmp_path)
    assert there.state == "good"
    assert "the same port number" in there.advice
    assert "--clock fl" in bridge(JamSettings(), tmp_path).advice
    (folder / SCRIPT.name).write_text("# name=Jamflow\n")
    assert "another version" in bridge(settings, tmp_path).found


def test_a_server_where_nobody_is_and_one_that_is_no_server(monkeypatch):
    monkeypatch.setattr(doctor, "PATIENCE_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        assert doctor.server(JamSettings(server=address)).state == "missing"
    finding = doctor.server(JamSettings(server=address))
    assert finding.found == f"{address}: nobody answers"
    assert "jamflow serve" in finding.advice


def test_a_server_that_has_no_soloist_is_told_from_one_that_does_not_answer(tmp_path):
    with TritonServer(tmp_path / "repository") as server:
        finding = doctor.server(JamSettings(server=server.grpc_url))
    assert finding.state == "missing"
    assert "'jam'" in finding.found
    assert "jamflow deploy" in finding.advice


def test_a_page_port_that_another_holds_is_found():
    with socket.create_server(("127.0.0.1", 0)) as other:
        finding = page(JamSettings(page_port=other.getsockname()[1]))
    assert finding.state == "missing"
    assert "--page-port" in finding.advice


def test_a_running_session_is_named(tmp_path):
    stage = Stage.anywhere()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as main, announced(Running(stage, 4711)):
        main.bind(stage.main)
        assert found(JamSettings(), Cables(), tmp_path)["Session"].found == "one runs already (process 4711)"
    assert "Session" not in found(JamSettings(), Cables(), tmp_path)


def test_the_clock_of_this_machine_is_fine_enough():
    assert clock().state == "good"


@pytest.mark.skipif(not hasattr(os, "sched_setscheduler"), reason="only Linux asks for real-time priority")
def test_looking_at_priority_leaves_it_as_it_was():
    before = os.sched_getscheduler(0)
    assert priority().what == "Priority"
    assert os.sched_getscheduler(0) == before


def test_a_folder_that_cannot_be_is_found_before_the_session(tmp_path):
    (tmp_path / "file").write_text("")
    refused = recording(JamSettings(record=str(tmp_path / "file" / "takes")))
    assert refused
    assert refused.state == "missing"
    taken = recording(JamSettings(record=str(tmp_path / "takes")))
    assert taken
    assert taken.state == "good"
    assert not (tmp_path / "takes").exists()


def test_without_rtmidi_the_one_command_that_helps_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor.importlib.util, "find_spec", lambda name: None)
    lines = told(checks(JamSettings(), None, tmp_path))
    assert lines[0].startswith("✘ python-rtmidi")
    assert 'pip install "jamflow[realtime]"' in lines[1]


def test_every_finding_and_its_advice_are_one_line_each(tmp_path):
    for finding in checks(JamSettings(server="127.0.0.1:9", page_port=1), Cables(virtual=False), tmp_path):
        assert "\n" not in finding.found + finding.advice
