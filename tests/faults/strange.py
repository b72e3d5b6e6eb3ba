"""What hypothesis makes of a good file to hurt its reader, and what a reader may do about it.

It draws the same examples every time, so what it finds is found again, and it stops after a few seconds a reader.
"""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as some

from models.drums.events import Beat, Event
from models.music.errors import JamflowError
from models.music.grid import Grid

SEVERAL = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
FEW = settings(SEVERAL, max_examples=40)
BEAT = Beat(Grid(120, 1), (Event(0, 0, "CORE", "kick", 0.9), Event(0, 4, "ACCENT", "kick", 0.5)))
ROW = {"sample_id": "kick", "filepath": "kick.wav", "confidence": 0.9}


def answered(read: Callable[..., Any], *what: Any) -> Any:
    """Let a reader read: it answers, or complains in one line of reasonable length."""
    try:
        return read(*what)
    except JamflowError as error:
        said = str(error)
        assert "\n" not in said
        assert 0 < len(said) < 1500, said[:200]
        assert " ()" not in said
        assert "__init__" not in said


HUGE = 10**400
NUMBERS = [HUGE, -HUGE, 2**63, 2**31, 2**53 + 1, 1e308, -1e308, 5e-324, 0, -1, True, None, "1", [], {}]
RAW = [
    "[" * 100_000,
    '{"a":' * 50_000,
    "1" * 5_000,
    "-" + "9" * 400,
    "NaN",
    "[Infinity]",
    "1e999",
    "",
    "\ufeff{}",
    '"\\ud800"',
]
anything = some.recursive(
    some.none()
    | some.booleans()
    | some.sampled_from(NUMBERS)
    | some.integers()
    | some.floats()
    | some.text(max_size=12),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@some.composite
def bent(draw: some.DrawFn, value: Any) -> Any:
    """A good JSON value with a few places in it replaced, dropped or doubled."""
    value = json.loads(json.dumps(value))
    for _ in range(draw(some.integers(1, 3))):
        value = _bent_once(draw, value)
    return value


def _bent_once(draw: some.DrawFn, value: Any) -> Any:
    if not isinstance(value, dict | list) or not value or draw(some.integers(0, 9)) == 0:
        return draw(anything)
    key = draw(some.sampled_from(list(value) if isinstance(value, dict) else range(len(value))))
    if draw(some.integers(0, 5)) == 0:
        copy = value.copy()
        del copy[key]
        return copy
    changed = _bent_once(draw, value[key])
    return {**value, key: changed} if isinstance(value, dict) else [*value[:key], changed, *value[key + 1 :]]


@some.composite
def torn(draw: some.DrawFn, whole: bytes) -> bytes:
    """The bytes of a good file, some of them changed, cut out or put in."""
    data = bytearray(whole)
    for _ in range(draw(some.integers(1, 6))):
        place = draw(some.integers(0, max(0, len(data) - 1)))
        match draw(some.integers(0, 3)):
            case 0:
                data[place : place + 1] = bytes([draw(some.integers(0, 255))])
            case 1:
                del data[place : place + draw(some.integers(1, 40))]
            case 2:
                data[place:place] = draw(some.binary(max_size=8))
            case 3:
                data[place : place + 4] = struct.pack("<I", draw(some.sampled_from([0, 1, 0x7FFFFFFF, 0xFFFFFFFF])))
    return bytes(data)


@contextlib.contextmanager
def spoilt(file: Path, text: str | bytes):
    good = file.read_bytes()
    file.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    try:
        yield
    finally:
        file.write_bytes(good)
