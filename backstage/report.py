"""One page for one pipeline run: the sound and its picture first, then how good it is, and last what ran.

    write_report(folder / "report.html", run, links={"log": "file:///…/log.txt"})

The page needs nothing but itself: no scripts, no network, pictures and short sounds inlined. It reads on a phone. What was
made last is shown first, since it is what the run was for; a figure says whether it is better than the champion's and the
baselines' (backstage/comparison.py).
"""

from __future__ import annotations

import base64
import datetime
import html
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backstage.comparison import figures_html
from backstage.pipeline_run import PipelineRun, StageRun
from models.music.figures import spoken
from models.music.files import write_text

MAX_INLINE_BYTES = 6 << 20
"""Larger pictures and sounds are named, not inlined."""
SOUND_TYPES = {".wav": "audio/wav", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".flac": "audio/flac"}

STYLE = """
:root{--ink:#22252b;--soft:#5b6472;--line:#e4e7ec;--paper:#fff;--wash:#f7f8fa;--accent:#2b6cb0;--good:#276749;--bad:#b03030}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#9aa4b2;--line:#30343b;--paper:#17191d;--wash:#1e2126;--accent:#7fb3e6;--good:#68d391;--bad:#fc8181;color-scheme:dark}}
*{box-sizing:border-box}
body{margin:0;background:var(--wash);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.6rem;margin:0 0 .1rem}h2{font-size:1.1rem;margin:0 0 .6rem}
h2 small{color:var(--soft);font-weight:400;font-size:.9rem;margin-left:.5rem}
.when{color:var(--soft);margin:0 0 1.2rem}
section{background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:1rem 1.1rem;margin:0 0 1rem}
section>:last-child{margin-bottom:0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;overflow-wrap:anywhere;padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
th{font-weight:600;color:var(--soft);font-size:.8rem;overflow-wrap:normal}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td:first-child{overflow-wrap:normal}td:last-child:not(.path){min-width:6.5rem;overflow-wrap:break-word}
.pill{display:inline-block;white-space:nowrap;border-radius:99px;padding:.05rem .6rem;font-size:.8rem;color:#fff;background:#5b6472}
.done{background:#276749}.cached{background:#2b6cb0}.failed{background:#b03030}.running{background:#b7500f}
.shown{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(26rem,100%),1fr));gap:.2rem 1rem}
figure{margin:.4rem 0}figure img{max-width:100%;height:auto;border-radius:8px;background:#fff}
figcaption{color:var(--soft);font-size:.85rem}audio{width:100%;display:block}
.cause{margin:0;border-left:4px solid #b03030;padding:.4rem .8rem;overflow-wrap:anywhere}
.numbers{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.5rem;margin:0 0 .6rem}
.numbers>div{border:1px solid var(--line);border-radius:8px;padding:.4rem .6rem}
.numbers b{font-size:1.15rem;font-variant-numeric:tabular-nums}.numbers span,.numbers i{display:block;font-size:.8rem;line-height:1.35;font-style:normal}
.numbers small,.numbers span{color:var(--soft)}.better{color:var(--good)}.worse{color:var(--bad)}.equal{color:var(--soft)}
details{margin:.5rem 0}summary{color:var(--soft);cursor:pointer;margin:0 0 .5rem}
code,.path{font:.85rem/1.45 ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
a{color:var(--accent)}
"""


def write_report(path: str | os.PathLike[str], run: PipelineRun, links: Mapping[str, str]) -> Path:
    """Write the page, whole; links are labels with a path, an address or a command."""
    return write_text(path, report_html(run, links))


def report_html(run: PipelineRun, links: Mapping[str, str]) -> str:
    when = datetime.datetime.fromtimestamp(run.began_s).astimezone().strftime("%d %B %Y, %H:%M")
    body = [
        f"<h1>{_text(run.name)}</h1><p class=when>{when} · {run.seconds:.1f} s · {_text(_outcome(run))}</p>",
        f"<section><p class=cause><b>{_text(run.failed.name)}</b>: {_text(run.failed.cause or '')}</p></section>"
        if run.failed
        else "",
        *(text for _, text in sorted(map(_stage, reversed(run.stages)), key=lambda shown: not shown[0])),
        _table("Where things are", links, linked=True),
        _table("Settings", {name: value for name, value in run.params.items() if value not in ("", None)}),
        _stages(run.stages),
    ]
    head = f"<meta charset=utf-8><meta name=viewport content='width=device-width,initial-scale=1'><title>{_text(run.name)}</title>"
    return f"<!doctype html><html lang=en><head>{head}<style>{STYLE}</style></head><body><main>{''.join(body)}</main></body></html>\n"


def _outcome(run: PipelineRun) -> str:
    """Say how it went in one line: what failed, or what was not needed."""
    if run.failed:
        return f"{run.failed.name} failed"
    cached = sum(stage.state == "cached" for stage in run.stages)
    skipped = ", ".join(stage.name for stage in run.stages if stage.state == "skipped")
    came = f"all went well, {cached} of {len(run.stages)} from the cache"
    return f"{came}, {skipped} not reached" if skipped else came


def _stage(run: StageRun) -> tuple[bool, str]:
    """Show what a stage left, and whether any of it can be heard."""
    if run.record is None:
        return False, ""
    sounds, pictures, notes = [], [], []
    for entry in run.record.entries()[0]:
        path, name = run.record.folder / str(entry.get("file", "")), _text(entry.get("name", ""))
        caption = "" if name in run.name else name  # "groove" below make-groove says nothing
        if entry["kind"] == "picture":
            pictures.append(_figure(f"<img alt='{name}' src='{{}}'>", path, "image/png", caption))
        elif entry["kind"] == "audio":
            kind = SOUND_TYPES.get(path.suffix, "audio/wav")
            sounds.append(
                _figure(f"<audio controls preload=none title='{name}' src='{{}}'></audio>", path, kind, caption)
            )
        elif entry["kind"] == "note":
            notes.append(f"<p>{_text(entry['text'])}</p>")
    shown = [f"<div class=shown>{''.join(some)}</div>" if some else "" for some in (sounds, pictures)]
    numbers = figures_html(run.record)
    shown = [*shown, numbers] if sounds else [numbers, *shown]
    text = "".join([*notes, *shown])
    came_to = f" <small>{_text(run.number_text())}</small>" if run.number_text() else ""
    return bool(sounds), f"<section><h2>{_text(run.name)}{came_to}</h2>{text}</section>" if text else ""


def _stages(runs: list[StageRun]) -> str:
    rows = "".join(
        f"<tr><td>{_text(run.name)}</td><td><span class='pill {run.state}'>{run.state}</span></td>"
        f"<td class=n>{f'{run.seconds:.1f} s' if run.finished and run.state != 'skipped' else ''}</td>"
        f"<td>{_text(run.number_text())}</td></tr>"
        for run in runs
    )
    head = "<tr><th>Stage</th><th>State</th><th class=n>Time</th><th>Came to</th></tr>"
    return f"<section><h2>Stages</h2><div class=scroll><table>{head}{rows}</table></div></section>"


def _figure(element: str, path: Path, kind: str, caption: str) -> str:
    if not path.is_file() or path.stat().st_size > MAX_INLINE_BYTES:
        return f"<p class=path>{caption}: {_text(path)}</p>"
    data = base64.b64encode(path.read_bytes()).decode()
    below = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f"<figure>{element.replace('{}', f'data:{kind};base64,{data}')}{below}</figure>"


def _table(title: str, values: Mapping[str, Any], *, linked: bool = False) -> str:
    if not values:
        return ""
    rows = "".join(
        f"<tr><td>{_text(name)}</td><td class=path>{_value(value, linked)}</td></tr>" for name, value in values.items()
    )
    return f"<section><h2>{title}</h2><div class=scroll><table>{rows}</table></div></section>"


def _value(value: Any, linked: bool) -> str:
    shown = value if isinstance(value, str) else spoken(getattr(value, "path", value))
    if linked and shown.startswith(("http://", "https://", "file://")):
        return f"<a href='{_text(shown)}'>{_text(shown)}</a>"
    return _text(shown)


def _text(value: Any) -> str:
    return html.escape(str(value), quote=True)
