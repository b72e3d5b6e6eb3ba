"""Play with a soloist, live: your chords in, its solo out of a MIDI port, always ahead of the beat.

    jamflow jam devices                 the MIDI ports of this machine
    jamflow jam doctor                  looks at the set-up, and says what to do
    jamflow jam calibrate               measures how late your sound comes; `play` makes up for it
    jamflow jam play                    plays until Ctrl-C, with a page to look at and to turn knobs on
    jamflow jam demo                    a minute with a practice-room player: a MIDI file and its report
    jamflow jam report                  how the last session went
    jamflow jam panic                   silence, at once

A server is needed for solos (`jamflow serve`, here or elsewhere); without one, fallback phrases over your chords are played.
docs/live.md tells how to set up FL Studio and other DAWs.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from pipelines.flags import Flags, number
from realtime_client.settings import CLOCKS, RANGES, JamSettings

HELP = {
    "server": "Triton's gRPC address, host:port; `none` plays fallback phrases only [this machine's]",
    "input_port": "part of the name of the MIDI input that you play on; empty opens a virtual port",
    "output_port": "the same for where the solo goes",
    "clock": f"who gives the beat: {', '.join(CLOCKS)}",
    "tempo_bpm": "of the internal clock",
    "beats_a_bar": "quarters in a bar",
    "style": "a style's name, as the page shows them; empty is any",
    "temperature": "how bold the solo is",
    "top_p": "share of the likeliest choices that are looked at",
    "chord_bias": "0 leaves pitches alone, 1 plays chord tones only",
    "lookahead_bars": "how far ahead the solo is kept",
    "seed": "the same seed, the same solo for the same chords",
    "offset_ms": "notes leave so much later; `calibrate` measures it",
    "rest_after_bars": "rest when no chord came for so long; 0 never rests",
    "polyphony": "notes that may sound together",
    "channel": "MIDI channel of the solo",
    "record": "a folder for the session's MIDI and figures [in Jamflow's home]",
    "page_port": "of the page; 0 takes a free one",
}


def main(argv: list[str]) -> int:
    given = _parser().read(argv)
    return given.act(given)


def _devices(_: argparse.Namespace) -> int:
    from realtime_client.main import devices

    print("\n".join(devices()))
    return 0


def _doctor(given: argparse.Namespace) -> int:
    from pipelines.commands.doctor import told
    from realtime_client.doctor import checks

    return told(checks(_settings(given)))


def _calibrate(given: argparse.Namespace) -> int:
    from realtime_client.calibrate import calibrate

    for line in calibrate(_settings(given)):
        print(line, flush=True)
    return 0


def _play(given: argparse.Namespace) -> int:
    from realtime_client.main import play
    from realtime_client.messages import Happened, Message

    settings = _settings(given)

    def told(message: Message) -> None:
        if isinstance(message, Happened) and not settings.terminal:
            print(f"{message.what:<9} {message.text}", flush=True)

    play(settings, given.seconds, told)
    return 0


def _demo(given: argparse.Namespace) -> int:
    from realtime_client.demo import demo

    with _server_meanwhile(given):
        for line in demo(_settings(given), given.out, given.seconds or 60.0):
            print(line, flush=True)
    return 0


def _report(given: argparse.Namespace) -> int:
    from realtime_client.main import report

    for line in report(given.session):
        print(line)
    return 0


def _panic(_: argparse.Namespace) -> int:
    from realtime_client.main import panic

    print("Silence." if panic() else "No session runs here. If a note hangs in your DAW, use its own panic button.")
    return 0


def _settings(given: argparse.Namespace) -> JamSettings:
    from realtime_client.session import remembered

    chosen = {name: value for name in JamSettings._fields if (value := getattr(given, name, None)) is not None}
    settings = JamSettings(**{**remembered(), **chosen})
    server = settings.server or _served_here()
    return settings._replace(server="" if server == "none" else server).checked()


def _served_here() -> str:
    """The address of this machine's own server, where one can run and does."""
    try:
        from serving.endpoint import Endpoint
    except ImportError:  # Windows has no Triton of its own
        return ""
    from pipelines.settings import Profile

    running = Endpoint.of(Profile.load().where.server)
    return running.grpc_url if running else ""


@contextlib.contextmanager
def _server_meanwhile(given: argparse.Namespace) -> Iterator[None]:
    """Serve on this machine for the block, where that is possible and nobody does or is named."""
    if given.server or _served_here() or importlib.util.find_spec("torch") is None:
        yield
        return
    from pipelines.commands.serve import main as serve

    print("Starting the server for the soloist; the first time this takes about half a minute.", flush=True)
    serve(["--detach"])
    try:
        yield
    finally:
        serve(["--stop"])


def _parser() -> Flags:
    parser = Flags(prog="jamflow jam", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Flags)
    for name, act, words in (
        ("devices", _devices, "show the MIDI ports"),
        ("doctor", _doctor, "look at the set-up"),
        ("calibrate", _calibrate, "measure how late your sound comes"),
        ("play", _play, "play until Ctrl-C"),
        ("demo", _demo, "a minute with a practice-room player"),
        ("report", _report, "how a session went"),
        ("panic", _panic, "silence"),
    ):
        command = commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
        command.set_defaults(act=act)
        if name in ("doctor", "calibrate", "play", "demo"):
            _add_settings(command)
        if name in ("play", "demo"):
            command.add_argument(
                "--seconds", type=number, default=0.0, metavar="X", help="how long [until Ctrl-C; demo 60]"
            )
        if name == "demo":
            command.add_argument(
                "--out",
                type=Path,
                default=Path("jam-demo"),
                metavar="FOLDER",
                help="for the MIDI file and the report [jam-demo]",
            )
        if name == "report":
            command.add_argument(
                "session", nargs="?", default="", metavar="FOLDER", help="a recorded session [the last]"
            )
    return parser


def _add_settings(command: argparse.ArgumentParser) -> None:
    for name, default in JamSettings._field_defaults.items():
        flag = "--" + name.replace("_", "-")
        if name == "terminal":
            command.add_argument(
                flag, action=argparse.BooleanOptionalAction, default=None, help="show it in the terminal"
            )
            continue
        shown = f" [{default}]" if default not in ("", None) else ""
        limits = "{:g} to {:g}".format(*RANGES[name]) if name in RANGES else ""
        words = f"{HELP[name]}{f' ({limits})' if limits else ''}{shown}"
        command.add_argument(flag, type=type(default), default=None, metavar=_word(default), help=words)


def _word(default: object) -> str:
    if isinstance(default, bool | str):
        return "TEXT"
    return "N" if isinstance(default, int) else "X"
