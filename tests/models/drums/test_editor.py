"""Editing a beat by hand: functions, undo that outlives the program, and the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.drums.editor import Editor, as_text, beside, remove_events, set_event, set_velocity
from models.drums.events import Beat, Event, read_events
from models.drums.session import lay_skeleton
from models.drums.skeleton import SkeletonPlan
from models.music.errors import BadConfig, BadInput
from models.music.grid import Grid
from pipelines.commands.edit import main

BEAT = Beat(
    Grid(120, 1), (Event(0, 0, "CORE", "a", 0.9), Event(0, 4, "ACCENT", "b", 0.5), Event(0, 4, "MOTION", "c", 0.2))
)


@pytest.fixture
def events_json(pools_json: Path, tmp_path: Path) -> Path:
    lay_skeleton(pools_json, tmp_path / "out", SkeletonPlan(bpm=120, bars=1))
    return tmp_path / "out" / "event_grid_1.json"


def test_an_event_takes_the_place_of_what_its_role_played_there():
    beat = set_event(BEAT, Event(0, 4, "ACCENT", "z", 0.8))
    assert [(e.role, e.sample_id) for e in beat.events] == [("CORE", "a"), ("ACCENT", "z"), ("MOTION", "c")]
    assert len(set_event(BEAT, Event(0, 5, "ACCENT", "z", 0.8))) == 4
    assert len(BEAT) == 3


def test_removing_takes_a_step_a_role_or_a_sample():
    assert [e.role for e in remove_events(BEAT, 0, 4).events] == ["CORE"]
    assert [e.role for e in remove_events(BEAT, 0, 4, "MOTION").events] == ["CORE", "ACCENT"]
    assert [e.role for e in remove_events(BEAT, 0, 4, sample_id="b").events] == ["CORE", "MOTION"]


def test_velocity_changes_only_what_is_named():
    assert [e.vel for e in set_velocity(BEAT, 0, 4, 0.7).events] == [0.9, 0.7, 0.7]
    assert [e.vel for e in set_velocity(BEAT, 0, 4, 0.7, "MOTION").events] == [0.9, 0.5, 0.7]
    with pytest.raises(BadInput, match="vel is 2"):
        set_velocity(BEAT, 0, 4, 2)


def test_what_is_not_there_is_answered_with_what_is():
    with pytest.raises(BadInput, match="CORE is not at bar 0, step 4; there is ACCENT b, MOTION c"):
        remove_events(BEAT, 0, 4, "CORE")
    with pytest.raises(BadInput, match="0 events, need 1"):
        remove_events(Beat(BEAT.grid, BEAT.events[:1]), 0, 0)


def test_a_beat_reads_as_a_grid_of_letters():
    assert as_text(BEAT).splitlines()[1:] == [
        "CORE    a |X...............|",
        "ACCENT  b |....x...........|",
        "MOTION  c |....o...........|",
    ]


def test_undo_and_redo_outlive_the_program_and_restore_the_file_exactly(events_json: Path):
    contents = [events_json.read_bytes()]
    for vel in (0.1, 0.2, 0.3):
        Editor(events_json).apply(lambda beat, vel=vel: set_velocity(beat, 0, 0, vel))
        contents.append(events_json.read_bytes())
    for expected in reversed(contents[:-1]):
        Editor(events_json).undo()
        assert events_json.read_bytes() == expected
    for expected in contents[1:]:
        Editor(events_json).redo()
        assert events_json.read_bytes() == expected
    with pytest.raises(BadInput, match="nothing to redo"):
        Editor(events_json).redo()


def test_a_new_change_forgets_what_was_undone(events_json: Path):
    editor = Editor(events_json)
    editor.apply(lambda beat: set_velocity(beat, 0, 0, 0.1))
    editor.undo()
    editor.apply(lambda beat: set_velocity(beat, 0, 0, 0.2))
    with pytest.raises(BadInput, match="nothing to redo"):
        editor.redo()


def test_history_is_put_aside_when_another_program_changed_the_file(events_json: Path):
    Editor(events_json).apply(lambda beat: set_velocity(beat, 0, 0, 0.1))
    events_json.write_text(events_json.read_text().replace("0.1,", "0.15,"))
    with pytest.raises(BadInput, match="nothing to undo"):
        Editor(events_json).undo()


def test_a_refused_change_leaves_file_and_history_alone(events_json: Path):
    before = events_json.read_bytes()
    with pytest.raises(BadInput):
        Editor(events_json).apply(lambda beat: set_event(beat, Event(3, 0, "CORE", "a", 1.0)))
    assert events_json.read_bytes() == before
    with pytest.raises(BadInput, match="nothing to undo"):
        Editor(events_json).undo()


def test_the_grid_is_found_by_number():
    assert beside("out/event_grid_groovae_12.json", "grid") == Path("out/grid_12.json")
    with pytest.raises(BadInput, match="--grid-json"):
        beside("mine.json", "grid")


def test_the_command_edits_shows_and_takes_back(events_json: Path, capsys: pytest.CaptureFixture[str]):
    where = ["--events_json", str(events_json)]
    before = events_json.read_bytes()
    place = ["--bar", "0", "--step=7", "--role", "core"]
    assert main(["set", *where, *place, "--sample_id", "dummy_00001", "--vel", ".8"]) == 0
    assert [(e.role, e.vel, e.source) for e in read_events(events_json) if e.step == 7] == [("CORE", 0.8, "user_edit")]
    assert main(["velocity", *where, *place, "--vel", ".3"]) == 0
    assert main(["show", *where]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert any(line.startswith("CORE") and line.split("|")[1][7] == "o" for line in shown)
    assert main(["remove", *where, *place]) == 0
    for _ in range(3):
        assert main(["undo", *where]) == 0
    assert events_json.read_bytes() == before
    assert main(["redo", *where]) == 0


def test_a_flag_that_is_missing_or_unknown_is_one_line(events_json: Path):
    with pytest.raises(BadConfig, match="--step"):
        main(["remove", "--events_json", str(events_json), "--bar", "0"])
    with pytest.raises(BadConfig, match="--barr: unknown flag"):
        main(["remove", "--events_json", str(events_json), "--bar", "0", "--step", "0", "--barr", "1"])


def test_the_command_renders_exports_and_imports(
    events_json: Path, pools_json: Path, capsys: pytest.CaptureFixture[str]
):
    where = ["--events-json", str(events_json), "--pools_json", str(pools_json)]
    assert main(["render", *where, "--render_sr", "22050"]) == 0
    assert main(["export-midi", *where]) == 0
    rendered, exported = map(Path, capsys.readouterr().out.split())
    assert (rendered.name, exported.name) == ("render_2.wav", "render_3.mid")
    assert main(["import-midi", "--midi", str(exported), "--out_dir", str(events_json.parent)]) == 0
    assert Path(capsys.readouterr().out.strip()).read_bytes() == events_json.read_bytes()
