"""What a stranger wrote, as plain values: JSON and CSV read within bounds, or one line that says why not.

    parse_json('{"bpm": 96}', "grid_1.json")        # dict, list, str, bool, None, and numbers that are numbers
    parse_csv(b"path,label\n...", "labels.csv", ["path", "label"])      # a mapping of words for every row

Whoever goes on from here need not fear a number that no float and no int64 can hold, nor ten thousand brackets.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any

from models.music.errors import BadInput

MOST_DEEP = 64
"""Mappings and lists in one another."""
LARGEST_WHOLE = 2**63 - 1
TOO_LONG = "a whole number in it has more than 18 digits"
FAILURES = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)
"""Parsers fail in as many ways as they have corners: a digit too many, a date that is none, a tag on the wrong value."""


def parse_json(text: str | bytes, label: str) -> Any:
    """Read JSON; a complaint begins with the label, which is the file's name."""
    try:
        return measured(json.loads(text, parse_int=_whole))
    except FAILURES as error:
        raise BadInput(f"{label}: not readable as JSON ({reason(error)}). Make it again.") from error


def parse_csv(data: bytes, label: str, columns: Sequence[str]) -> list[dict[str, str]]:
    """Read the rows of a table with a first line of names, of which some are needed; what a row lacks is empty."""
    try:
        table = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), restval="")
        rows = [{name: word for name, word in row.items() if isinstance(name, str)} for row in table]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{label}: not readable as a table ({reason(error)}). Export it as CSV in UTF-8.") from error
    if rows and (missing := [name for name in columns if name not in rows[0]]):
        raise BadInput(f"{label}: no column {' or '.join(sorted(missing))}; {', '.join(columns)} are needed.")
    return rows


def reason(error: BaseException) -> str:
    """Say what went wrong in one short line."""
    if isinstance(error, RecursionError):
        return f"more than {MOST_DEEP} brackets in one another"
    words = " ".join(str(error).split()) or (
        "it ends too early" if isinstance(error, EOFError) else type(error).__name__
    )
    return words if len(words) <= 300 else f"{words[:299]}…"


def shown(value: Any, longest: int = 80) -> str:
    """Write a value for a message, however long it is."""
    words = repr(value)
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def readable(text: str) -> str:
    """Give a text that can be printed, drawn and stored; a file's name may hold bytes that are no letters."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _whole(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError(TOO_LONG)
    return int(digits)


def measured(value: Any, depth: int = 0) -> Any:
    """Give a value back whose numbers and depth are within bounds."""
    if depth > MOST_DEEP:
        raise RecursionError
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no number that can be used")
    if isinstance(value, int) and abs(value) > LARGEST_WHOLE:
        raise ValueError(TOO_LONG)
    if isinstance(value, dict):
        for key, inner in value.items():
            measured(key, depth + 1)
            measured(inner, depth + 1)
    elif isinstance(value, list | tuple | set):
        for inner in value:
            measured(inner, depth + 1)
    return value
