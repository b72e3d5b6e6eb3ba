"""The one door for settings: YAML or a mapping in, a checked frozen dataclass out.

preset = from_mapping(GrooveTraining, read_yaml("presets/groove.yaml")["laptop"], "groove.yaml: laptop")
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from models.music.errors import BadConfig
from models.music.plain import FAILURES, MOST_DEEP, measured, reason, shown

MAX_BYTES = 1 << 20
T = TypeVar("T")


class _NoAliases(yaml.SafeLoader):
    """Safe YAML without anchors: a few lines of them can ask for gigabytes. A few brackets can ask for minutes."""

    depth = 0

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("anchors and aliases are not used here; write the value out")
        self.depth += 1
        if self.depth > MOST_DEEP:
            raise RecursionError
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def read_yaml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a small YAML mapping, or say in one line why not."""
    path = Path(path)
    if not path.is_file():
        raise BadConfig(f"{path}: no such file. Check the path.")
    if path.stat().st_size > MAX_BYTES:
        raise BadConfig(f"{path.name}: {path.stat().st_size} bytes; settings have at most {MAX_BYTES}.")
    try:
        value = measured(yaml.load(path.read_bytes(), _NoAliases))  # noqa: S506 - a SafeLoader
    except (*FAILURES, yaml.YAMLError) as error:
        raise BadConfig(f"{path.name}: not safe, plain YAML ({reason(error)}). Mend that line.") from error
    if not isinstance(value, dict):
        raise BadConfig(f"{path.name}: holds {type(value).__name__}; a mapping of names to values is needed.")
    return value


def from_mapping(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """Build a dataclass from a mapping, nested ones too; a wrong key or type names the place and the way out."""
    hints = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    chosen = {}
    for key, value in values.items():
        if key not in names:
            raise BadConfig(f"{where}: unknown key {shown(key)}; {nearest(str(key), names)}.")
        chosen[key] = _fit(hints[key], value, f"{where}: {key}")
    if missing := [field.name for field in dataclasses.fields(kind) if field.name not in chosen and _is_needed(field)]:  # type: ignore[arg-type]
        raise BadConfig(f"{where}: no {', '.join(missing)}. Write it in, or make the file again.")
    return kind(**chosen)


def _is_needed(field: dataclasses.Field) -> bool:
    return field.init and field.default is field.default_factory is dataclasses.MISSING


def nearest(word: str, choices: typing.Iterable[str]) -> str:
    """Say which of the choices was probably meant, or list them all."""
    known = sorted(choices)
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}" if close else f"there are {', '.join(known) or 'none'}"


def _fit(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _fit(next(a for a in arguments if a is not type(None)), value, where)
    if origin is typing.Literal:
        if value not in arguments:
            raise BadConfig(f"{where} is {shown(value)}; {nearest(str(value), map(str, arguments))}.")
        return value
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return from_mapping(typing.cast(type, hint), value, where)
    if origin is tuple and isinstance(value, list | tuple):
        inner = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        if len(inner) == len(value):
            return tuple(_fit(h, v, where) for h, v in zip(inner, value, strict=True))
    if origin is dict and isinstance(value, Mapping):
        return {_fit(arguments[0], k, where): _fit(arguments[1], v, where) for k, v in value.items()}
    plain = origin or hint
    if plain is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if plain is Any or (
        isinstance(plain, type) and isinstance(value, plain) and (plain is bool or not isinstance(value, bool))
    ):
        return value
    raise BadConfig(f"{where} is {shown(value)}; {getattr(plain, '__name__', plain)} is needed.")
