"""Eight hands on one event grid: every change is kept, and each can be taken back."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.drums.editor import Editor, set_event
from models.drums.events import Beat, Event, read_events, write_events, write_grid
from models.music.errors import BadInput
from models.music.grid import Grid

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def events_json(tmp_path: Path) -> Path:
    beat = Beat(Grid(120, 1), (Event(0, 0, "CORE", "kick", 0.9),))
    write_grid(tmp_path / "grid_1.json", beat.grid)
    return write_events(tmp_path / "event_grid_1.json", beat)


def test_eight_edits_at_once_are_all_kept_and_can_all_be_undone(events_json):
    place = ["--events-json", str(events_json), "--bar", "0", "--role", "MOTION", "--sample-id", "hat", "--vel", ".5"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    hands = [
        subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", "edit", "set", *place, "--step", str(step)],
            cwd=events_json.parent, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for step in range(1, 9)
    ]  # fmt: skip
    said = [hand.communicate(timeout=60)[0] for hand in hands]
    assert [hand.returncode for hand in hands] == [0] * 8, said
    assert sorted(event.step for event in read_events(events_json)) == list(range(9))
    editor = Editor(events_json)
    for _ in range(8):
        editor.undo()
    assert len(editor.beat) == 1
    with pytest.raises(BadInput, match="nothing to undo"):
        editor.undo()


def test_an_editor_that_was_open_meanwhile_goes_on_from_what_is_there(events_json):
    mine, yours = Editor(events_json), Editor(events_json)
    mine.apply(lambda beat: set_event(beat, Event(0, 1, "FILL", "tom", 0.5)))
    yours.apply(lambda beat: set_event(beat, Event(0, 2, "FILL", "tom", 0.5)))
    assert [event.step for event in read_events(events_json)] == [0, 1, 2]
    mine.undo()
    assert [event.step for event in read_events(events_json)] == [0, 1]


@pytest.mark.parametrize(
    "history", ["[]", "{", '{"sha256": SHA}', '{"sha256": SHA, "done": [3], "undone": []}', "[" * 100_000]
)
def test_a_damaged_undo_history_is_one_line_that_says_what_to_do(events_json, history):
    from models.music.files import sha256

    damaged = events_json.with_name(".event_grid_1.undo.json")
    damaged.write_text(history.replace("SHA", f'"{sha256(events_json)}"'))
    with pytest.raises(BadInput, match=r"\.event_grid_1\.undo\.json: .*Remove it") as caught:
        Editor(events_json)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
