"""One page for one pipeline run: what ran, how long, what it came to, with its pictures and sounds inside.

    write_report(folder / "report.html", run, links={"log": "file:///…/log.txt"})

The page needs nothing but itself: no scripts, no network, pictures and short sounds inlined. It reads on a phone.
"""

from __future__ import annotations

import base64
import datetime
import html
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backstage.pipeline_run import PipelineRun, StageRun
from models.music.files import write_text

MAX_INLINE_BYTES = 6 << 20
"""Larger pictures and sounds are named, not inlined."""
FIRST_NUMBERS = 12
"""So many numbers of a stage are in sight, the others one touch away."""
SOUND_TYPES = {".wav": "audio/wav", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".flac": "audio/flac"}

STYLE = """
:root{--ink:#22252b;--soft:#667085;--line:#e4e7ec;--paper:#fff;--wash:#f7f8fa;--accent:#2b6cb0}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#9aa4b2;--line:#30343b;--paper:#17191d;--wash:#1e2126;--accent:#7fb3e6}}
*{box-sizing:border-box}
body{margin:0;background:var(--wash);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.6rem;margin:0 0 .1rem}h2{font-size:1.1rem;margin:0 0 .6rem}
.when{color:var(--soft);margin:0 0 1.2rem}
section{background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:1rem 1.1rem;margin:0 0 1rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;overflow-wrap:anywhere;padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
th{font-weight:600;color:var(--soft);font-size:.8rem}
th{overflow-wrap:normal}td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.pill{display:inline-block;border-radius:99px;padding:.05rem .6rem;font-size:.8rem;color:#fff;background:#718096}
.done{background:#2f855a}.cached{background:#2b6cb0}.failed{background:#c53030}.running{background:#dd6b20}
figure{margin:.8rem 0}figure img{max-width:100%;height:auto;border-radius:8px;background:#fff}
figcaption{color:var(--soft);font-size:.85rem}audio{width:100%;max-width:30rem}
.cause{margin:0;border-left:4px solid #c53030;padding:.4rem .8rem;overflow-wrap:anywhere}
.numbers{display:grid;grid-template-columns:repeat(auto-fill,minmax(7.5rem,1fr));gap:.5rem}
.numbers div{border:1px solid var(--line);border-radius:8px;padding:.4rem .6rem}
.numbers b{display:block;font-size:1.1rem;font-variant-numeric:tabular-nums}.numbers span{color:var(--soft);font-size:.8rem;overflow-wrap:anywhere}
details{margin:.5rem 0}summary{color:var(--soft);cursor:pointer;margin:0 0 .5rem}
code,.path{font:.85rem/1.45 ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
a{color:var(--accent)}
"""


def write_report(path: str | os.PathLike[str], run: PipelineRun, links: Mapping[str, str]) -> Path:
    """Write the page, whole; links are labels with a path, an address or a command."""
    return write_text(path, report_html(run, links))


def report_html(run: PipelineRun, links: Mapping[str, str]) -> str:
    when = datetime.datetime.fromtimestamp(run.began_s).astimezone().strftime("%d %B %Y, %H:%M")
    cached = sum(stage.state == "cached" for stage in run.stages)
    failed = run.failed
    outcome = f"{failed.name} failed" if failed else f"all went well, {cached} of {len(run.stages)} from the cache"
    body = [
        f"<h1>{_text(run.name)}</h1><p class=when>{when} · {run.seconds:.1f} s · {_text(outcome)}</p>",
        f"<section><p class=cause><b>{_text(failed.name)}</b>: {_text(failed.cause or '')}</p></section>"
        if failed
        else "",
        _stages(run.stages),
        *(_stage(stage) for stage in run.stages),
        _table("Parameters", run.params),
        _table("Where things are", links, linked=True),
    ]
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width,initial-scale=1'><title>{_text(run.name)}</title>"
    return f"<!doctype html><html lang=en><head>{head}<style>{STYLE}</style></head><body><main>{''.join(body)}</main></body></html>\n"


def _stages(runs: list[StageRun]) -> str:
    rows = "".join(
        f"<tr><td>{_text(run.name)}</td><td><span class='pill {run.state}'>{run.state}</span></td>"
        f"<td class=n>{f'{run.seconds:.1f} s' if run.finished and run.state != 'skipped' else ''}</td>"
        f"<td>{_text(run.number_text())}</td></tr>"
        for run in runs
    )
    head = "<tr><th>Stage</th><th>State</th><th style='text-align:right;padding-right:.8rem'>Time</th><th>Came to</th></tr>"
    return f"<section><h2>Stages</h2><div class=scroll><table>{head}{rows}</table></div></section>"


def _stage(run: StageRun) -> str:
    if run.record is None:
        return ""
    shown = []
    if metrics := run.record.metrics():
        shown.append(_numbers(list(metrics.items())))
    for entry in run.record.entries()[0]:
        path = run.record.folder / str(entry.get("file", ""))
        if entry["kind"] == "picture":
            shown.append(_figure(f"<img alt='{_text(entry['name'])}' src='{{}}'>", path, "image/png", entry["name"]))
        elif entry["kind"] == "audio":
            kind = SOUND_TYPES.get(path.suffix, "audio/wav")
            shown.append(_figure("<audio controls preload=none src='{}'></audio>", path, kind, entry["name"]))
    return f"<section><h2>{_text(run.name)}</h2>{''.join(shown)}</section>" if shown else ""


def _numbers(metrics: list[tuple[str, float]]) -> str:
    cells = [
        f"<div><b>{value:.4g}</b><span>{_text(name).replace('_', '_<wbr>')}</span></div>" for name, value in metrics
    ]
    rest = "".join(cells[FIRST_NUMBERS:])
    more = (
        f"<details><summary>{len(cells) - FIRST_NUMBERS} more</summary><div class=numbers>{rest}</div></details>"
        if rest
        else ""
    )
    return f"<div class=numbers>{''.join(cells[:FIRST_NUMBERS])}</div>{more}"


def _figure(element: str, path: Path, kind: str, name: str) -> str:
    if not path.is_file() or path.stat().st_size > MAX_INLINE_BYTES:
        return f"<p class=path>{_text(name)}: {_text(path)}</p>"
    data = base64.b64encode(path.read_bytes()).decode()
    return f"<figure>{element.format(f'data:{kind};base64,{data}')}<figcaption>{_text(name)}</figcaption></figure>"


def _table(title: str, values: Mapping[str, Any], *, linked: bool = False) -> str:
    if not values:
        return ""
    rows = "".join(
        f"<tr><td>{_text(name)}</td><td class=path>{_value(value, linked)}</td></tr>" for name, value in values.items()
    )
    return f"<section><h2>{title}</h2><div class=scroll><table>{rows}</table></div></section>"


def _value(value: Any, linked: bool) -> str:
    shown = str(value)
    if linked and shown.startswith(("http://", "https://", "file://")):
        return f"<a href='{_text(shown)}'>{_text(shown)}</a>"
    return _text(shown)


def _text(value: Any) -> str:
    return html.escape(str(value), quote=True)
