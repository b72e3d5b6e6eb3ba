"""A session's figures to be read and seen: lines for a terminal, a page, a picture.

for line in write_report(Path("session_1.jsonl")): print(line)      # session_1.html and session_1.png lie beside it

The page is one file that needs nothing else; the picture needs matplotlib, and where that is missing a line says so.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from models.music.files import write_text
from realtime_client.kpi import Session

BINS = 40


class Line(NamedTuple):
    """How a figure is called, and what it should be."""

    words: str
    unit: str = ""
    bar: str = ""


SPREADS = {
    "ttfn_any_ms": Line("first note of anything", "ms", "p99 below 80"),
    "ttfn_model_ms": Line("first note of the model", "ms"),
    "chord_to_request_ms": Line("  of it until the request left", "ms"),
    "request_to_note_ms": Line("  until its first note came back", "ms"),
    "note_to_port_ms": Line("  until that left the port", "ms"),
    "harmony_beats": Line("new chord until heard in the solo", "beats"),
    "lateness_ms": Line("notes leave late by", "ms"),
    "jitter_ms": Line("jitter", "ms", "p99 below 2"),
    "arrival_ms": Line("notes arrive late by", "ms"),
    "arrival_jitter_ms": Line("jitter where they arrive", "ms", "p99 below 2"),
}
SINGLE = {
    "bars_ahead_min": Line("least ahead", "bars", "at least 1"),
    "bars_ahead_p50": Line("ahead", "bars"),
    "hit_rate": Line("notes by the model", "%"),
    "fallback_share": Line("notes by the fallback", "%"),
    "dead_air_gaps": Line("gaps that nobody meant", "", "0"),
    "stuck_notes": Line("stuck notes", "", "0"),
}
PICTURED = ("ttfn_any_ms", "ttfn_model_ms", "harmony_beats", "lateness_ms", "jitter_ms", "bars_ahead")
_STYLE = """
:root{color-scheme:light dark;--ink:#22252b;--paper:#fff;--soft:#718096;--bar:#2b6cb0}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--paper:#15171b;--soft:#9aa4b2;--bar:#63a4e8}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:2rem auto;max-width:60rem;padding:0 1rem}
table{border-collapse:collapse}td,th{padding:.15rem 1rem .15rem 0;text-align:right}td:first-child,th:first-child{text-align:left;white-space:pre}
.bar{color:var(--soft)}figure{display:inline-block;margin:1rem 1rem 0 0}figcaption{color:var(--soft)}svg{display:block}
rect{fill:var(--bar)}text{fill:var(--soft);font:12px system-ui,sans-serif}line{stroke:var(--soft)}.model{fill:var(--bar)}.fallback,.pickup{fill:#dd6b20}
"""


def write_report(file: Path, probe: Path | None = None) -> Iterator[str]:
    """Write page and picture beside a session's letters, and give the lines to read."""
    session = Session.read(file, probe)
    figures, spreads = session.figures(), pictured(session)
    yield from told(figures)
    yield f"page      {write_text(file.with_suffix('.html'), page(session, figures, spreads))}"
    try:
        yield f"picture   {_picture(file.with_suffix('.png'), spreads)}"
    except ImportError:
        yield "picture   none: it needs matplotlib, which does not come with the live client (pip install matplotlib)"


def told(figures: Mapping[str, float]) -> Iterator[str]:
    """Every figure in a line."""
    yield f"{'':<36}{'p50':>9}{'p99':>9}"
    for name, (words, unit, bar) in SPREADS.items():
        if f"{name}_p50" in figures:
            middle, tail = figures[f"{name}_p50"], figures[f"{name}_p99"]
            yield f"{words:<36}{middle:>9.2f}{tail:>9.2f} {unit:<6}{f'({bar})' if bar else ''}".rstrip()
    for name, (words, unit, bar) in SINGLE.items():
        if name in figures:
            value = f"{100 * figures[name]:.1f}" if unit == "%" else f"{figures[name]:.2f}".removesuffix(".00")
            yield f"{words:<36}{value:>9}{'':>9} {unit:<6}{f'({bar})' if bar else ''}".rstrip()
    named = {*SINGLE, *(f"{name}_{q}" for name in SPREADS for q in ("p50", "p99")), "bars_ahead_p5"}
    counted = {name: value for name, value in figures.items() if name not in named}
    yield "counted   " + ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in counted.items())


def pictured(session: Session) -> dict[str, list[float]]:
    """The values that are drawn."""
    spreads = {**session.spreads(), "bars_ahead": session.bars_ahead()}
    return {name: spreads[name] for name in PICTURED if spreads.get(name)}


def page(session: Session, figures: Mapping[str, float], spreads: Mapping[str, Sequence[float]]) -> str:
    """One page: the figures, their histograms, and what was played."""
    rows = "".join(f"<tr>{cells}</tr>" for name in (*SPREADS, *SINGLE) if (cells := _cells(name, figures)))
    counted = html.escape(list(told(figures))[-1])
    figured = "".join(
        f"<figure>{_histogram(v)}<figcaption>{_words(n)}</figcaption></figure>" for n, v in spreads.items()
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>A jam session</title><style>{_STYLE}</style><h1>A jam session</h1>"
        f"<table><tr><th></th><th>p50</th><th>p99</th><th></th><th></th></tr>{rows}</table>"
        f"<p>{counted}</p>{figured}<h2>The solo</h2>{_roll(session)}</html>\n"
    )


def _cells(name: str, figures: Mapping[str, float]) -> str:
    words, unit, bar = SPREADS.get(name) or SINGLE[name]
    if name in SINGLE and name in figures:
        scale = 100 if unit == "%" else 1
        values = f"<td>{scale * figures[name]:.4g}</td><td></td>"
    elif f"{name}_p50" in figures:
        values = "".join(f"<td>{figures[f'{name}_{q}']:.2f}</td>" for q in ("p50", "p99"))
    else:
        return ""
    return f'<td>{words}</td>{values}<td>{unit}</td><td class="bar">{bar}</td>'


def _words(name: str) -> str:
    line = SPREADS.get(name, Line("how far ahead", "bars"))
    return html.escape(f"{line.words.strip()}, {line.unit}")


def _histogram(values: Sequence[float], width: int = 280, height: int = 120) -> str:
    edges, counts = _counted(values)
    step, most = width / BINS, max(counts)
    bars = "".join(
        f'<rect x="{n * step:.1f}" y="{height - height * count / most:.1f}" width="{step - 1:.1f}" height="{height * count / most:.1f}"/>'
        for n, count in enumerate(counts)
        if count
    )
    return (
        f'<svg width="{width}" height="{height + 18}" role="img">{bars}<line x1="0" y1="{height}" x2="{width}" y2="{height}"/>'
        f'<text x="0" y="{height + 14}">{edges[0]:.3g}</text><text x="{width}" y="{height + 14}" text-anchor="end">{edges[1]:.3g}</text></svg>'
    )


def _counted(values: Sequence[float]) -> tuple[tuple[float, float], list[int]]:
    low, high = min(values), max(values)
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, int((value - low) / (high - low or 1) * BINS))] += 1
    return (low, high), counts


def _roll(session: Session, rows: int = 4, width: int = 900, height: int = 120) -> str:
    """The solo as it was played, in a few lines of equal length."""
    notes = session.played
    if not notes:
        return "<p>Nothing was played.</p>"
    first, last = notes[0].onset_ticks, max(n.onset_ticks + n.duration_ticks for n in notes)
    low, high = min(n.pitch for n in notes) - 1, max(n.pitch for n in notes) + 2
    span = (last - first) / rows or 1.0
    drawn = []
    for row in range(rows):
        begin = first + row * span
        shown = [n for n in notes if begin <= n.onset_ticks < begin + span]
        rects = "".join(
            f'<rect class="{n.source}" x="{(n.onset_ticks - begin) / span * width:.1f}" width="{max(1.5, n.duration_ticks / span * width):.1f}"'
            f' y="{(high - n.pitch) / (high - low) * height:.1f}" height="{height / (high - low):.1f}"/>'
            for n in shown
        )
        drawn.append(f'<svg viewBox="0 0 {width} {height + 12}" width="100%" role="img">{rects}</svg>')
    return "".join(drawn)


def _picture(file: Path, spreads: Mapping[str, Sequence[float]]) -> Path:
    from models.music.plots import picture

    columns = 3
    rows = -(-max(1, len(spreads)) // columns)
    with picture(file, title="A jam session", rows=rows, columns=columns, inches=(11.0, 3.2 * rows)) as axes:
        for axis in axes.flat[len(spreads) :]:
            axis.set_axis_off()
        for axis, (name, values) in zip(axes.flat, spreads.items(), strict=False):
            axis.hist(values, bins=BINS)
            axis.set_xlabel(html.unescape(_words(name)))
    return file
