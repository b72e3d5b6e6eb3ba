"""A stage's figures as a part of its report: each with name and unit, and beside whom it is better or worse.

figures_html(record)        # tiles, and below them, folded, a table with everybody's figures

A tile compares with two: the champion, and the best of the others. Words say it as well as colours.
"""

from __future__ import annotations

import html
from collections.abc import Mapping

from backstage.record import Record
from models.music.figures import Figure, figure, spoken

CHAMPION = "champion"
FIRST = 12
"""So many figures are in sight, the others one touch away, where a stage declares none; else those it declares."""
MARKS = {"better": "▲", "worse": "▼", "equal": "="}

Beside = Mapping[str, Mapping[str, float]]


def figures_html(record: Record) -> str:
    """Show the last value of every metric, in the order in which the stage declared them."""
    values, known, beside = record.metrics(), record.figures(), record.beside()
    if not values:
        return ""
    declared = [key for key in known if key in values]
    keys = [*declared, *(key for key in values if key not in known)]
    tiles = [_tile(figure(known, key), values[key], _of(beside, key)) for key in keys]
    first = len(declared) or FIRST
    parts = [f"<div class=numbers>{''.join(tiles[:first])}</div>"]
    if beside:
        parts.append(_folded("Beside everybody", _table({key: figure(known, key) for key in keys}, values, beside)))
    if len(tiles) > first:
        parts.append(_folded(f"{len(tiles) - first} more", f"<div class=numbers>{''.join(tiles[first:])}</div>"))
    return "".join(parts)


def _of(beside: Beside, key: str) -> dict[str, float]:
    return {who: theirs[key] for who, theirs in beside.items() if key in theirs}


def _tile(told: Figure, value: float, beside: Mapping[str, float]) -> str:
    lines = "".join(_comparison(told, value, who, theirs) for who, theirs in _closest(told, beside).items())
    unit = f" <small>{_text(told.unit)}</small>" if told.unit else ""
    return f"<div><b>{spoken(value)}</b>{unit}<span>{_text(told.name).replace('_', '_<wbr>')}</span>{lines}</div>"


def _closest(told: Figure, beside: Mapping[str, float]) -> dict[str, float]:
    """Choose whom a tile compares with: the champion, and whoever of the others no other is better than."""
    others = [who for who in beside if who != CHAMPION]
    best = [who for who in others if not any(told.verdict(beside[other], beside[who]) == "better" for other in others)]
    return {who: beside[who] for who in [CHAMPION, *best[:1]] if who in beside}


def _comparison(told: Figure, value: float, who: str, theirs: float) -> str:
    verdict = told.verdict(value, theirs)
    if not verdict:
        return ""
    than = "equal to" if verdict == "equal" else f"{verdict} than"
    return f"<i class='{verdict}'>{MARKS[verdict]} {than} {_text(who)}, {spoken(theirs)}</i>"


def _table(told: Mapping[str, Figure], values: Mapping[str, float], beside: Beside) -> str:
    head = "".join(f"<th class=n>{_text(who)}</th>" for who in ["this one", *beside])
    rows = []
    for key, what in told.items():
        theirs = _of(beside, key)
        cells = [_cell(what, values[key], theirs[who]) if who in theirs else "<td></td>" for who in beside]
        unit = ", ".join(filter(None, [what.unit, what.direction]))
        name = f"<td>{_text(what.name)}<br><small>{_text(unit)}</small></td>"
        rows.append(f"<tr>{name}<td class=n><b>{spoken(values[key])}</b></td>{''.join(cells)}</tr>")
    return f"<div class=scroll><table><tr><th></th>{head}</tr>{''.join(rows)}</table></div>"


def _cell(told: Figure, value: float, theirs: float) -> str:
    verdict = told.verdict(value, theirs)
    word = {"better": "beaten", "worse": "ahead"}.get(verdict, verdict)
    return f"<td class=n>{spoken(theirs)}<br><small class='{verdict}'>{word}</small></td>"


def _folded(summary: str, inside: str) -> str:
    return f"<details><summary>{summary}</summary>{inside}</details>"


def _text(value: str) -> str:
    return html.escape(value, quote=True)
