"""What a stranger wrote, as plain values: JSON and YAML read within bounds, or one line that says why not.

    parse_json('{"bpm": 96}', "grid_1.json")        # dict, list, str, bool, None, and numbers that are numbers
    parse_yaml("bpm: 96", "settings.yaml")

Whoever goes on from here need not fear a number that no float and no int64 can hold, nor ten thousand brackets.
"""

from __future__ import annotations

import json
import math
from typing import Any

import yaml

from models.music.errors import BadConfig, BadInput

MOST_DEEP = 64
"""Mappings and lists in one another."""
LARGEST_WHOLE = 2**63 - 1
# Parsers fail in as many ways as they have corners: a digit too many, a date that is none, a tag on the wrong value.
_FAILURES = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError, yaml.YAMLError)


class _NoAliases(yaml.SafeLoader):
    """Safe YAML without anchors: a few lines of them can ask for gigabytes."""

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("anchors and aliases are not used here; write the value out")
        return super().compose_node(parent, index)


def parse_json(text: str | bytes, label: str) -> Any:
    """Read JSON; a complaint begins with the label, which is the file's name."""
    try:
        return _measured(json.loads(text))
    except _FAILURES as error:
        raise BadInput(f"{label}: not readable as JSON ({reason(error)}). Make it again.") from error


def parse_yaml(text: str | bytes, label: str) -> Any:
    """Read YAML that is plain data."""
    try:
        return _measured(yaml.load(text, _NoAliases))  # noqa: S506 - a SafeLoader
    except _FAILURES as error:
        raise BadConfig(f"{label}: not safe, plain YAML ({reason(error)}). Mend that line.") from error


def reason(error: BaseException) -> str:
    """Say what went wrong in one short line."""
    if isinstance(error, RecursionError):
        return f"more than {MOST_DEEP} brackets in one another"
    words = " ".join(str(error).split())
    return words if len(words) <= 300 else f"{words[:299]}…"


def shown(value: Any, longest: int = 80) -> str:
    """Write a value for a message, however long it is."""
    words = repr(value)
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def _measured(value: Any, depth: int = 0) -> Any:
    """Give a value back whose numbers and depth are within bounds."""
    if depth > MOST_DEEP:
        raise RecursionError
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no number that can be used")
    if isinstance(value, int) and abs(value) > LARGEST_WHOLE:
        raise ValueError("a whole number in it has more than 18 digits")
    if isinstance(value, dict):
        for key, inner in value.items():
            _measured(key, depth + 1)
            _measured(inner, depth + 1)
    elif isinstance(value, list | tuple | set):
        for inner in value:
            _measured(inner, depth + 1)
    return value
