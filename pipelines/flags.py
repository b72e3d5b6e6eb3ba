"""Flags for a pipeline or a stage, made from its signature and docstring, and from those of the stages it feeds.

--pools-json PATH   an artifact that comes in: a file or a folder
--bpm 120           a parameter; --pools_json and --pools-json are one flag; --render and --no-render switch
"""

from __future__ import annotations

import argparse
import difflib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from models.music.errors import BadConfig, BadInput
from models.music.plain import parse_json, shown
from pipelines.sentences import sentence


def number(text: str) -> float:
    """Read a number that is neither NaN nor infinite: no stage could be told one."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def whole(text: str) -> int:
    """Read a whole number that a stage is told as it is: KFP carries numbers as doubles."""
    value = int(text)
    if abs(value) > LARGEST_EXACT:
        raise ValueError(text)
    return value


def plain(text: str) -> Any:
    """Read JSON."""
    return parse_json(text, shown(text))


def filled(text: str) -> str:
    """Read text where a path or a name is needed: an empty one would mean the current folder, or anything."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; give a value, or leave the flag out")
    return text


LARGEST_EXACT = 2**53
READERS = {"NUMBER_INTEGER": whole, "NUMBER_DOUBLE": number, "LIST": plain, "STRUCT": plain}
WORDS = {"NUMBER_INTEGER": "N", "NUMBER_DOUBLE": "X", "LIST": "JSON", "STRUCT": "JSON", "STRING": "TEXT"}

FROM_PROFILE = ("where",)
"""Parameters that the runner fills from the profile: accepted, but nobody needs to know."""
RENAMED = {"--local": "--voice=starter", "--no-local": "--voice=champion", "--size": "--preset"}
"""Flags of yesterday, and what they are called today."""


class Flags(argparse.ArgumentParser):
    """An argument parser that forgives underscores and whose complaints name the nearest flag."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("allow_abbrev", False)
        kwargs.setdefault("formatter_class", _Formatter)
        super().__init__(*args, **kwargs)

    def read(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse, or raise one line."""
        values, unknown = self.parse_known_args([self._todays(dashed(word)) for word in argv])
        if unknown:
            flags = [option for action in self._actions for option in action.option_strings]
            close = difflib.get_close_matches(unknown[0].split("=")[0], flags, n=1)
            hint = f"did you mean {close[0]}?" if close else f"`{self.prog} --help` lists what there is."
            raise BadConfig(f"{unknown[0]}: unknown flag; {hint}")
        return values

    def _todays(self, word: str) -> str:
        flag, equals, value = word.partition("=")
        renamed = RENAMED.get(flag, "")
        return f"{renamed}{equals}{value}" if renamed.split("=")[0] in self._option_string_actions else word

    def error(self, message: str) -> NoReturn:
        raise BadConfig(f"{self.prog}: {message}. `{self.prog} --help` explains each flag.")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34, width=110)


def dashed(word: str) -> str:
    """Turn --pools_json=x_y into --pools-json=x_y."""
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    return name.replace("_", "-") + equals + value


def add_flags(parser: argparse.ArgumentParser, component: Any) -> None:
    """Give a parser one flag for every input of a compiled pipeline or stage."""
    definitions = component.pipeline_spec.root.input_definitions
    # The order is that of the signature: protobuf's maps forget it.
    for name, spec in (component.component_spec.inputs or {}).items():
        text = " ".join((spec.description or "").split()) or sentence(component.pipeline_spec, name)
        if name in definitions.artifacts:
            artifact = definitions.artifacts[name]
            kind = artifact.artifact_type.schema_title.removeprefix("system.").lower()
            text = _safe(text or f"{kind}: a file or a folder")
            parser.add_argument(_flag(name), metavar="PATH", type=filled, required=not artifact.is_optional, help=text)
        else:
            _add_parameter(parser, name, definitions.parameters[name], text)


def chosen(component: Any, values: argparse.Namespace) -> dict[str, Any]:
    """Collect the arguments of a run; what no flag names keeps its default."""
    from kfp import dsl

    definitions = component.pipeline_spec.root.input_definitions
    known = [*definitions.artifacts, *definitions.parameters]
    arguments: dict[str, Any] = {}
    for name in known:
        value = getattr(values, name, None)
        if value is not None:
            arguments[name] = value
    for name in definitions.artifacts:
        if name in arguments:
            given = arguments[name]
            if given == "random" and getattr(values, "out_dir", None):
                given = values.out_dir  # the stage draws one of the files that earlier runs left there
            path = Path(given).expanduser().absolute()
            if not path.exists():
                raise BadInput(f"{_flag(name)} {given}: no such file or folder. Check the path.")
            arguments[name] = dsl.Dataset(name=name, uri=str(path))
    missing = [n for n, p in definitions.parameters.items() if n not in arguments and not _has_default(p)]
    if missing:
        raise BadConfig(f"{', '.join(map(_flag, missing))}: needed.")
    return arguments


def _add_parameter(parser: argparse.ArgumentParser, name: str, parameter: Any, text: str) -> None:
    from google.protobuf import json_format

    kinds = parameter.DESCRIPTOR.fields_by_name["parameter_type"].enum_type.values_by_number
    kind = kinds[parameter.parameter_type].name
    default: Any = json_format.MessageToDict(parameter.default_value) if _has_default(parameter) else None
    if kind == "NUMBER_INTEGER" and default is not None:
        default = int(default)
    shown = f"[{default}]" if default not in (None, "") else "" if _has_default(parameter) else "(needed)"
    text = argparse.SUPPRESS if name in FROM_PROFILE else _safe(f"{text} {shown}".strip())
    reader = READERS.get(kind, str if default == "" else filled)
    if kind == "BOOLEAN":
        parser.add_argument(_flag(name), action=argparse.BooleanOptionalAction, default=None, help=text)
    else:
        parser.add_argument(_flag(name), metavar=WORDS.get(kind, "VALUE"), type=reader, help=text)


def _has_default(parameter: Any) -> bool:
    return parameter.is_optional or parameter.HasField("default_value")


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _safe(text: str) -> str:
    return text.replace("%", "%%")
