"""Change an event grid from the command line.

    jamflow edit show       --events_json out/event_grid_1.json
    jamflow edit set        --events_json out/event_grid_1.json --bar 0 --step 4 --role CORE --sample_id dummy_00001 --vel .8
    jamflow edit remove     --events_json out/event_grid_1.json --bar 0 --step 4 --role CORE
    jamflow edit velocity   --events_json out/event_grid_1.json --bar 0 --step 4 --vel .6
    jamflow edit undo       --events_json out/event_grid_1.json          (and redo)
    jamflow edit render     --events_json out/event_grid_1.json --pools_json pools_1.json
    jamflow edit export-midi --events_json out/event_grid_1.json --pools_json pools_1.json
    jamflow edit import-midi --midi groove.mid --out_dir out --pools_json pools_1.json

Bars and steps are counted from 0. The grid is grid_N.json beside the event grid and the pools the newest pools_N.json
there, unless they are given. Renders and exports take the next free number and replace nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pipelines.flags import Flags


def main(argv: list[str]) -> int:
    arguments = _parser().read(argv)
    for line in arguments.act(arguments):
        print(line)
    return 0


def _show(given: argparse.Namespace) -> list[str]:
    from models.drums.editor import as_text

    return [as_text(_editor(given).beat)]


def _set(given: argparse.Namespace) -> list[str]:
    from models.drums.editor import USER, as_text, set_event
    from models.drums.events import Event

    event = Event(
        given.bar, given.step, given.role, given.sample_id, given.vel, given.dur_steps, given.micro_offset_ms, USER
    )
    return [as_text(_editor(given).apply(lambda beat: set_event(beat, event)))]


def _remove(given: argparse.Namespace) -> list[str]:
    from models.drums.editor import as_text, remove_events

    place = given.bar, given.step
    return [as_text(_editor(given).apply(lambda beat: remove_events(beat, *place, given.role, given.sample_id)))]


def _velocity(given: argparse.Namespace) -> list[str]:
    from models.drums.editor import as_text, set_velocity

    place = given.bar, given.step, given.vel
    return [as_text(_editor(given).apply(lambda beat: set_velocity(beat, *place, given.role, given.sample_id)))]


def _undo(given: argparse.Namespace) -> list[str]:
    from models.drums.editor import as_text

    return [as_text(_editor(given).undo())]


def _redo(given: argparse.Namespace) -> list[str]:
    from models.drums.editor import as_text

    return [as_text(_editor(given).redo())]


def _render(given: argparse.Namespace) -> list[str]:
    return _bounced(given, given.render_sr)


def _export_midi(given: argparse.Namespace) -> list[str]:
    return _bounced(given, render_sr=0)


def _import_midi(given: argparse.Namespace) -> list[str]:
    from models.drums.kit import read_kit
    from models.drums.session import newest, take_in_midi

    kit = read_kit(newest(given.pools_json, "pools"), given.sample_root) if given.pools_json else None
    number = take_in_midi(given.midi, given.out_dir, kit)
    return [str(Path(given.out_dir) / f"event_grid_{number}.json")]


def _bounced(given: argparse.Namespace, render_sr: int) -> list[str]:
    from models.drums.kit import read_kit
    from models.drums.session import bounce, newest

    editor = _editor(given)
    folder = editor.path.parent
    kit = read_kit(newest(given.pools_json or folder, "pools"), given.sample_root)
    name = "render_groovae" if "groovae" in editor.path.stem else "render"
    return [str(bounce(editor.beat, kit, given.out_dir or folder, name=name, render_sr=render_sr))]


def _editor(given: argparse.Namespace) -> Any:
    from models.drums.editor import Editor

    return Editor(given.events_json, given.grid_json)


def _parser() -> Flags:
    parser = Flags(prog="jamflow edit", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="what")

    def command(name: str, act: Any, help: str) -> Flags:
        added = commands.add_parser(name, help=help)
        added.set_defaults(act=act)
        if name != "import-midi":
            added.add_argument("--events-json", required=True, help="the event grid")
            added.add_argument("--grid-json", default="", help="its grid, when it is not grid_N.json beside it")
        return added

    command("show", _show, "print the grid as text")
    placed = command("set", _set, "put an event on a step, in place of what its role played there")
    struck = command("velocity", _velocity, "strike the events of a step harder or softer")
    removed = command("remove", _remove, "take the events of a step away")
    for added in (placed, struck, removed):
        added.add_argument("--bar", type=int, required=True)
        added.add_argument("--step", type=int, required=True)
        added.add_argument("--role", required=added is placed, default="", type=str.upper)
        added.add_argument("--sample-id", required=added is placed, default="")
    for added in (placed, struck):
        added.add_argument("--vel", type=float, required=True, help="0 to 1")
    placed.add_argument("--dur-steps", type=int, default=1)
    placed.add_argument("--micro-offset-ms", type=float, default=0.0, help="above 0 is late")
    command("undo", _undo, "take the last change back")
    command("redo", _redo, "make it again")
    rendered = command("render", _render, "write the beat as sound and MIDI")
    rendered.add_argument("--render-sr", type=int, default=44_100, help="rate in Hz")
    exported = command("export-midi", _export_midi, "write the beat as General MIDI")
    imported = command("import-midi", _import_midi, "make an event grid of a drum MIDI file")
    imported.add_argument("--midi", required=True)
    for added in (rendered, exported, imported):
        added.add_argument("--pools-json", default="", help="a pools file, or the folder with the newest one")
        added.add_argument("--sample-root", default="", help="where samples lie, when not beside the pools file")
        added.add_argument("--out-dir", default="", required=added is imported)
    return parser
