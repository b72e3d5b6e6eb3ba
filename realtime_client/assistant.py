"""An assistant at the desk: the running session over the Model Context Protocol, on standard input and output.

Run: jamflow mcp [--armed MINUTES]      (an assistant's program starts it; docs/live.md tells how)

It looks at any time. Before it changes anything it must be armed, which lasts for some minutes; only panic, which silences,
needs no arming. No tool takes a path: recordings and exports go to Jamflow's home, under names of our own.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from models.music.errors import JamflowError, Refused, Unavailable
from models.music.finding import told
from realtime_client.controls import control
from realtime_client.messages import TICKS_PER_QUARTER
from realtime_client.page import TOKEN, address_of, token_of
from realtime_client.session import Running, jam_home, remembered, running_session
from realtime_client.settings import JamSettings
from realtime_client.take import last_bars, two_tracks

PATIENCE_S = 5.0
LONGEST_ARMED_MIN, MOST_BARS = 120, 64
INSTRUCTIONS = (
    "A live soloist that plays over a musician's chords. Look with status, chords, last_solo, report, doctor and ports. "
    "To change anything, ask the musician, then call arm. panic silences at once and needs no arming."
)
Clock = Callable[[], float]


class Assistant:
    """What an assistant can see and do; every method is a tool and its docstring the tool's description."""

    def __init__(self, armed_min: float = 0.0, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._armed_until = clock() + 60 * armed_min

    def status(self) -> dict[str, Any]:
        """How the session stands: server, tempo, chord, how far ahead, first-note times, knobs, counts, armed or not."""
        picture = json.loads(_ask("GET", "/state"))
        whole = {name: value for name, value in picture.items() if name not in ("solo", "player", "chords", "session")}
        return whole | {"armed_minutes": round(max(0.0, self._armed_until - self._clock()) / 60, 1)}

    def chords(self) -> list[dict[str, Any]]:
        """The chords that were heard, with the bar and beat at which each began; the newest last."""
        tape = json.loads(_ask("GET", "/tape"))
        return [_placed(tape, ticks) | {"chord": symbol} for ticks, symbol in tape["chords"]]

    def last_solo(self, bars: int = 4) -> list[dict[str, Any]]:
        """The notes of the solo's last bars: pitch, velocity, bar, beat and length in beats."""
        tape = json.loads(_ask("GET", "/tape"))
        return [
            _placed(tape, onset) | {"pitch": pitch, "velocity": loud, "beats": round(length / TICKS_PER_QUARTER, 2)}
            for pitch, loud, onset, length in last_bars(tape, _bars(bars))["solo"]
        ]

    def report(self) -> str:
        """The figures of the last recorded session: first-note times, lateness, gaps, fallback share."""
        from realtime_client.main import report

        return "\n".join(report(""))

    def doctor(self) -> str:
        """Look at the live set-up, and say what to do about what is wrong."""
        from realtime_client.doctor import checks

        running = running_session()
        settings = running.settings if running else JamSettings()._replace(**remembered())
        return "\n".join(told(checks(settings)))

    def ports(self) -> str:
        """The MIDI ports of this machine."""
        from realtime_client.main import devices

        return "\n".join(devices())

    def arm(self, minutes: float = 10.0) -> str:
        """Allow changes for some minutes. Call it only when the musician has agreed."""
        if not 0 <= minutes <= LONGEST_ARMED_MIN:
            raise Refused(f"arm: {minutes:g} minutes; give 0 (disarm) to {LONGEST_ARMED_MIN}.")
        self._armed_until = self._clock() + 60 * minutes
        return f"Armed for {minutes:g} minutes." if minutes else "Disarmed."

    def panic(self) -> str:
        """Silence everything at once."""
        return _turn("panic") or "Silence."

    def start(self) -> str:
        """Let the soloist play."""
        return self._change("start")

    def stop(self) -> str:
        """Let the soloist rest until start."""
        return self._change("stop")

    def style(self, name: str) -> str:
        """Choose one of the styles that status names; an empty one is any."""
        known = json.loads(_ask("GET", "/state"))["server"]["styles"]
        if name and name not in known:
            raise Refused(f"style {name!r}: the server has {', '.join(known) or 'none'}; an empty name is any.")
        return self._change("style", name)

    def temperature(self, value: float) -> str:
        """How bold the solo is, 0 to 4; 0.95 is usual."""
        return self._change("temperature", value)

    def chord_bias(self, value: float) -> str:
        """0 leaves the choice of pitches alone, 1 plays chord tones only."""
        return self._change("chord_bias", value)

    def lookahead(self, bars: float) -> str:
        """How far ahead the solo is kept, 1 to 4 bars; longer is safer, shorter follows the chords sooner."""
        return self._change("lookahead_bars", bars)

    def tempo(self, source: Literal["internal", "midi", "fl"], bpm: float | None = None) -> str:
        """Who gives the beat; with the internal clock also how fast."""
        if bpm is not None and source != "internal":
            raise Refused(f"tempo: {source} gives its own; leave bpm out, or choose internal.")
        turned = self._change("clock", source)
        return turned if bpm is None else f"{turned} {self._change('tempo', bpm)}"

    def record(self, on: bool) -> str:
        """Begin or end a recording in Jamflow's home."""
        return self._change("record", "on" if on else "off")

    def export(self, bars: int = 16) -> str:
        """Keep the last bars as a MIDI file of two tracks, the musician's and the soloist's, in Jamflow's home."""
        self._must_be_armed()
        tape = json.loads(_ask("GET", "/tape"))
        if not tape["solo"]:
            raise Refused("export: nothing was played yet.")
        file = _free(jam_home() / "takes")
        two_tracks(tape, _bars(bars)).save(file)
        return f"Kept as {file}."

    def fl_transport(self, action: Literal["start", "stop", "record"]) -> str:
        """FL Studio's own transport; it needs Jamflow's script in FL."""
        return self._change("fl", action)

    def _must_be_armed(self) -> None:
        if self._clock() >= self._armed_until:
            raise Refused("Not armed: nothing was changed. Ask the musician, then call arm.")

    def _change(self, name: str, value: object = "") -> str:
        self._must_be_armed()
        return _turn(name, value) or f"{name}{f' {value}' if value != '' else ''}: done."


READS = ("status", "chords", "last_solo", "report", "doctor", "ports")
WRITES = (
    *("arm", "panic", "start", "stop", "style", "temperature", "chord_bias", "lookahead", "tempo"),
    *("record", "export", "fl_transport"),
)


def server(assistant: Assistant) -> Any:
    """The MCP server of an assistant."""
    try:
        from mcp.server.mcpserver import MCPServer
        from mcp.server.mcpserver.exceptions import ToolError
        from mcp_types import ToolAnnotations
    except ImportError as error:
        raise Unavailable('mcp: its package is not installed. pip install "jamflow[realtime,mcp]"') from error

    made = MCPServer("jamflow", instructions=INSTRUCTIONS, log_level="WARNING")
    for name in (*READS, *WRITES):
        annotations = ToolAnnotations(read_only_hint=name in READS, destructive_hint=False, open_world_hint=False)
        made.tool(annotations=annotations)(_spoken(getattr(assistant, name), ToolError))
    return made


def main(armed_min: float = 0.0) -> None:
    """Serve until the assistant's program closes standard input."""
    server(Assistant(armed_min)).run("stdio")


def _spoken(tool: Callable[..., Any], tool_error: type[Exception]) -> Callable[..., Any]:
    """Let an assistant read an error of ours as its sentence."""
    import functools

    @functools.wraps(tool)
    def told(*args: Any, **named: Any) -> Any:
        try:
            return tool(*args, **named)
        except JamflowError as error:
            raise tool_error(str(error)) from error

    return told


def _running() -> Running:
    running = running_session()
    if running is None:
        raise Unavailable("No session runs on this machine. The musician starts one with `jamflow jam play`.")
    return running


def _turn(name: str, value: object = "") -> str:
    turned = control(name, value)
    return _ask("POST", "/control", {"name": turned.name, "value": turned.value})


def _ask(method: str, path: str, body: object = None) -> str:
    """Ask the session's page; what it refuses, it refuses in a sentence."""
    running = _running()
    line = http.client.HTTPConnection(*address_of(running.stage, running.settings), timeout=PATIENCE_S)
    try:
        line.request(method, path, None if body is None else json.dumps(body), {TOKEN: token_of(running.stage)})
        answer = line.getresponse()
        text = answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"The session's page does not answer ({error}). Try again in a second.") from error
    finally:
        line.close()
    if answer.status >= 400:
        raise Refused(text)
    return text


def _placed(tape: dict[str, Any], ticks: int) -> dict[str, Any]:
    bar = tape["beats_a_bar"] * TICKS_PER_QUARTER
    within = ticks - tape["bar_origin"] % bar
    return {"bar": within // bar + 1, "beat": round(within % bar / TICKS_PER_QUARTER + 1, 2)}


def _bars(bars: int) -> int:
    if not 1 <= bars <= MOST_BARS:
        raise Refused(f"bars is {bars}; give 1 to {MOST_BARS}.")
    return bars


def _free(folder: Path) -> Path:
    """A file of this moment that is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = time.strftime("take-%Y%m%d-%H%M%S")
    return next(file for n in range(1000) if not (file := folder / f"{stem}{f'-{n}' if n else ''}.mid").exists())
