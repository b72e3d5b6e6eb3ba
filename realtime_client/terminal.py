"""The session in a terminal: chord, solo, how far ahead, and what is amiss, at 80 columns, with or without colour.

    with Terminal() as terminal:
        terminal.draw(desk, now_ns)        # a few times a second

Where standard output is no terminal, only what happens is written, a line each.
"""

from __future__ import annotations

import sys

from rich.console import Console
from rich.live import Live
from rich.text import Text

from models.music.chords import NAMES
from realtime_client.desk import Desk
from realtime_client.messages import TICKS_PER_QUARTER

COLUMN_TICKS = TICKS_PER_QUARTER // 4
PAST, FUTURE = 48, 24
"""Columns of the roll, a sixteenth each."""
ROWS = 9
SEMITONES = 2 * ROWS  # two to a row: upper and lower half
HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
SERVER_MARKS = {"ready": ("●", "green"), "none": ("○", "dim"), "lost": ("✘", "red")}
METER = 20


class Terminal:
    """A view that is drawn in place, or lines where nothing can be."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.stdout, highlight=False)
        self._live = None
        if self._console.is_terminal:
            self._live = Live(console=self._console, screen=True, auto_refresh=False)
        self._said = 0

    def __enter__(self) -> Terminal:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def draw(self, desk: Desk, now_ns: int) -> None:
        """Show how things stand."""
        if self._live:
            self._live.update(view(desk, now_ns), refresh=True)
            return
        happened = sum(desk.events.values())
        for word in list(desk.words)[len(desk.words) - min(happened - self._said, len(desk.words)) :]:
            print(f"  {word.who}: {word.text}", flush=True)
        self._said = happened


def view(desk: Desk, now_ns: int) -> Text:
    """The whole screen, 80 columns wide."""
    lines = [
        _head(desk, now_ns),
        Text(),
        *_chord(desk, now_ns),
        Text(),
        *roll(desk, now_ns),
        Text(),
        _knobs(desk),
        _counts(desk),
        *_words(desk),
        Text(f"page {desk.page}   Ctrl-C ends" if desk.page else "Ctrl-C ends", "dim"),
    ]
    whole = Text("\n").join(lines)
    whole.no_wrap, whole.overflow = True, "ellipsis"
    return whole


def _head(desk: Desk, now_ns: int) -> Text:
    mark, colour = SERVER_MARKS.get(desk.server.state, ("◌", "yellow"))
    bar, beat = desk.place(now_ns)
    clock = f"♩ {desk.beat.tempo_bpm:.1f} {desk.beat.source}" + ("" if desk.beat.running else ", stopped")
    told = {"none": "no server", "ready": f"server ready, {desk.server.round_trip_ms:.0f} ms"}
    server = told.get(desk.server.state, f"server {desk.server.state}")
    return Text.assemble(
        ("Jamflow", "bold"),
        f"  {clock}  bar {bar}  beat {beat}/{desk.beat.beats_a_bar}  ",
        (mark, colour),
        f" {server}",
    )


def _chord(desk: Desk, now_ns: int) -> list[Text]:
    ahead = desk.ahead_bars(now_ns)
    full = min(METER, round(ahead / 2 * METER))
    falling = desk.status is not None and desk.status.falling_back
    symbol = desk.harmony.symbol if desk.harmony else ""
    sure = "" if desk.harmony is None or desk.harmony.settled else "?"
    first = desk.first_note()
    answered = (
        f"{first['last']:.0f} ms, median {first['p50']:.0f} of {first['count']}" if first["count"] else "none yet"
    )
    ports = [name for name, is_open in desk.ports().items() if not is_open]
    sounding = "fallback phrase" if falling else "resting" if desk.resting else "playing" if ahead else "listening"
    state = sounding if desk.playing else "stopped"
    return [
        Text.assemble(
            ("chord ", "dim"),
            (f"{symbol + sure or 'play one':<14}", "bold cyan" if symbol else "dim"),
            ("ahead ", "dim"),
            ("█" * full + "░" * (METER - full), "green" if ahead >= 1 else "yellow"),
            f" {ahead:4.1f} bars  ",
            (state, "yellow" if falling or not desk.playing else ""),
        ),
        Text.assemble(
            ("first note ", "dim"),
            answered,
            (f"   no MIDI {' and no MIDI '.join(ports)}" if ports else "", "bold red"),
        ),
    ]


def roll(desk: Desk, now_ns: int) -> list[Text]:
    """The solo of the last three bars, the newest notes at the line that stands for now; chords above, what is known below."""
    now = desk.ticks(now_ns) // COLUMN_TICKS
    first = now - PAST
    notes, _ = desk.notes_since(first * COLUMN_TICKS)
    lowest = _lowest([note.pitch for note in notes])
    cells = [[False] * (PAST + FUTURE) for _ in range(SEMITONES)]
    for note in notes:
        begin = note.onset_ticks // COLUMN_TICKS - first
        end = max(begin + 1, round((note.onset_ticks + note.duration_ticks) / COLUMN_TICKS) - first)
        row = min(max(note.pitch - lowest, 0), SEMITONES - 1)
        for column in range(max(0, begin), min(end, PAST + FUTURE)):
            cells[row][column] = True
    rows = [_chords_above(desk, first)]
    for row in reversed(range(ROWS)):
        low, high = cells[2 * row], cells[2 * row + 1]
        line = "".join(HALVES[pair] for pair in zip(high, low, strict=True))
        name = _octave(lowest + 2 * row)
        rows.append(Text.assemble((f"{name:>4} ", "dim"), (line[:PAST], "cyan"), ("│", "dim"), (line[PAST:], "cyan")))
    known = min(FUTURE, max(0, round(desk.ahead_bars(now_ns) * desk.beat.bar_length / COLUMN_TICKS)))
    rows.append(
        Text.assemble(("     " + "─" * PAST + "┼", "dim"), ("━" * known, "green"), ("┄" * (FUTURE - known), "dim"))
    )
    return rows


def _chords_above(desk: Desk, first: int) -> Text:
    line = [" "] * (PAST + FUTURE + 1)
    for ticks, symbol in desk.chords:
        column = ticks // COLUMN_TICKS - first
        if 0 <= column < len(line):
            place = slice(column, column + len(symbol))
            line[place] = symbol[: len(line[place])]
    return Text("     " + "".join(line).rstrip(), "dim cyan")


def _lowest(pitches: list[int]) -> int:
    """The window's lowest pitch: around the middle of what was played, on an even one so that rows do not jump."""
    if not pitches:
        return 60
    return (min(pitches) + max(pitches) - SEMITONES) // 4 * 2 + 2


def _octave(pitch: int) -> str:
    """A name beside each row that holds a C or an F#; others stay empty."""
    for candidate in (pitch, pitch + 1):
        if candidate % 6 == 0:
            return f"{NAMES[candidate % 12]}{candidate // 12 - 1}"
    return ""


def _knobs(desk: Desk) -> Text:
    knobs = desk.controls()
    return Text.assemble(
        ("style ", "dim"),
        str(knobs["style"] or "any"),
        ("   temperature ", "dim"),
        f"{knobs['temperature']:.2f}",
        ("   chord bias ", "dim"),
        f"{knobs['chord_bias']:.2f}",
        ("   lookahead ", "dim"),
        f"{knobs['lookahead_bars']:.1f} bars",
    )


def _counts(desk: Desk) -> Text:
    counts = desk.counts()
    notes = sum(counts[f"{source}_notes"] for source in ("model", "pickup", "fallback"))
    share = f" ({counts['model_notes'] / notes:.0%} by the model)" if notes else ""
    names = {"underruns": "gaps filled", "late": "late", "dropped": "dropped"}
    troubles = [f"{told} {counts[name]}" for name, told in names.items() if counts.get(name)]
    return Text.assemble(
        ("● recording   " if desk.recording else "", "red"),
        f"{notes} notes{share}",
        ("   " + "   ".join(troubles) if troubles else "", "yellow"),
    )


def _words(desk: Desk) -> list[Text]:
    return [Text(f"{word.who}: {word.text}"[:80], "dim") for word in list(desk.words)[-2:]]
