"""Event grids and grids on disk: they survive, and a wrong field is named."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from models.drums.events import Beat, Event, read_beat, read_events, read_grid, write_events, write_grid
from models.drums.session import bounce
from models.music.errors import BadInput
from models.music.grid import Grid

ROW = {"bar": 0, "step": 4, "role": "ACCENT", "sample_id": "dummy_00003", "vel": 0.9, "dur_steps": 1}
ROW |= {"micro_offset_ms": -7.5, "source": "groovae"}


def test_a_beat_survives_its_two_files(tmp_path: Path):
    beat = Beat(Grid(97.3, 3), (Event(0, 0, "CORE", "a", 0.5), Event(2, 15, "MOTION", "b", 1.0, 2, -12.345, "groovae")))
    write_grid(tmp_path / "grid_1.json", beat.grid)
    write_events(tmp_path / "event_grid_1.json", beat)
    again = read_beat(tmp_path / "grid_1.json", tmp_path / "event_grid_1.json")
    assert (again.grid, again.events) == (beat.grid, beat.events)


def test_the_files_have_exactly_the_fields_users_read(tmp_path: Path):
    write_grid(tmp_path / "grid_1.json", Grid(120, 2))
    grid = json.loads((tmp_path / "grid_1.json").read_text())
    assert list(grid) == ["bpm", "meter", "steps_per_bar", "num_bars", "tbeat", "tbar", "tstep", "bar_start", "t_step"]
    assert (grid["meter"], grid["steps_per_bar"], grid["tbeat"], grid["tbar"]) == ("4/4", 16, 0.5, 2.0)
    assert grid["bar_start"] == [0.0, 2.0]
    assert grid["t_step"][1][4] == 2.5
    write_events(tmp_path / "event_grid_1.json", Beat(Grid(120, 2), (Event(**ROW),)))
    assert json.loads((tmp_path / "event_grid_1.json").read_text()) == [ROW]


def test_a_meter_of_six_eighths_has_twelve_steps(tmp_path: Path):
    write_grid(tmp_path / "grid_1.json", Grid(90, 2, (6, 8)))
    assert json.loads((tmp_path / "grid_1.json").read_text())["steps_per_bar"] == 12
    assert read_grid(tmp_path / "grid_1.json").meter == (6, 8)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"velo": 1}, "unknown field 'velo'; did you mean 'vel'"),
        ({"vel": 1.5}, "vel is 1.5; give 0 to 1"),
        ({"vel": True}, "vel is True"),
        ({"bar": -1}, "bar is -1"),
        ({"step": 1.0}, "step is 1.0; a whole number"),
        ({"role": "KICK"}, "role is 'KICK'"),
        ({"role": ["CORE"]}, "role is"),
        ({"sample_id": ""}, "sample_id is ''"),
        ({"dur_steps": 0}, "dur_steps is 0"),
        ({"micro_offset_ms": 1e9}, "micro_offset_ms is 1000000000.0"),
        ({"source": None}, "source is None"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_in_one_line(tmp_path: Path, change: dict, words: str):
    path = tmp_path / "event_grid_1.json"
    path.write_text(json.dumps([ROW, ROW | change]))
    with pytest.raises(BadInput) as caught:
        read_events(path)
    assert str(caught.value).startswith("event_grid_1.json: event 1")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("number", ["NaN", "1e999", "1" * 400])
def test_a_number_that_is_none_is_refused_where_it_is_read(tmp_path: Path, number: str):
    (tmp_path / "event_grid_1.json").write_text(json.dumps([ROW | {"vel": 0.625}]).replace("0.625", number))
    with pytest.raises(BadInput, match=r"event_grid_1\.json: not readable as JSON"):
        read_events(tmp_path / "event_grid_1.json")


def test_a_missing_field_is_named(tmp_path: Path):
    (tmp_path / "e_1.json").write_text(json.dumps([{"bar": 0, "step": 0}]))
    with pytest.raises(BadInput, match="event 0: no role"):
        read_events(tmp_path / "e_1.json")


@pytest.mark.parametrize("text", ["{}", "[3]", "", "[[]]", "null"])
def test_what_is_no_event_grid_is_refused(tmp_path: Path, text: str):
    (tmp_path / "e_1.json").write_text(text)
    with pytest.raises(BadInput, match=r"e_1\.json"):
        read_events(tmp_path / "e_1.json")


def test_an_empty_event_grid_says_so():
    with pytest.raises(BadInput, match="0 events, need 1"):
        Beat(Grid(120, 1), ())


def test_an_event_outside_the_grid_says_how_large_the_grid_is():
    with pytest.raises(BadInput, match="step is 16; a bar has 16 steps"):
        Beat(Grid(120, 1), (Event(0, 16, "CORE", "a", 1.0),))
    with pytest.raises(BadInput, match="bar is 1; the grid has 1 bars"):
        Beat(Grid(120, 1), (Event(1, 0, "CORE", "a", 1.0),))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bpm": 0}, "bpm is 0"),
        ({"bpm": 121}, "tbeat does not follow from bpm 121"),
        ({"num_bars": 0}, "bars is 0"),
        ({"meter": "waltz"}, "meter is 'waltz'"),
        ({"steps_per_bar": 12}, "steps_per_bar"),
        ({"t_step": [[0.0]]}, "t_step"),
        ({"tempo": 120}, "unknown key 'tempo'"),
    ],
)
def test_a_grid_that_contradicts_itself_is_refused(tmp_path: Path, change: dict, words: str):
    path = write_grid(tmp_path / "grid_1.json", Grid(120, 2))
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BadInput, match=words):
        read_grid(path)


def _bounce_some(kit, folder: Path, count: int) -> None:
    beat = Beat(Grid(120, 1), (Event(0, 0, "CORE", "dummy_00001", 1.0),))
    for _ in range(count):
        bounce(beat, kit, folder, render_sr=0)


def test_processes_that_write_at_once_never_take_each_others_number(tmp_path: Path, kit):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_bounce_some, args=(kit, tmp_path, 6)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"render_{n}.mid" for n in range(1, 25))
