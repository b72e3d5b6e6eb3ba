"""Values on their way through KFP, which reads placeholders wherever it meets them: what it could misread goes quoted.

    quoted("{{$.inputs.parameters['seed']}}.wav")   # "jamflow-quoted:%7B%7B%24.inputs…": letters that mean nothing to KFP
    unquoted(quoted(anything)) == anything          # names that are not UTF-8 too, inside lists, mappings and artifacts

Whoever hands values to KFP quotes them (pipelines/runner.py, pipelines/cluster.py); the door of a stage unquotes what
comes in and quotes what goes out; whoever takes the outputs unquotes them again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, unquote

MARK = "jamflow-quoted:"
MISREAD = ("{{", "/kfp-workspace", MARK)
"""Where KFP's and Argo's placeholders begin, and KFP's word for a workspace."""


def quoted(value: Any) -> Any:
    """Give a value that nothing between here and a stage reads."""
    return _within(value, lambda text: MARK + quote(text, safe="", errors="surrogatepass") if _misread(text) else text)


def unquoted(value: Any) -> Any:
    """Give the value that was quoted; any other as it is."""
    return _within(value, lambda text: unquote(text[len(MARK) :], errors="surrogatepass") if _marked(text) else text)


def _misread(text: str) -> bool:
    return any(word in text for word in MISREAD) or any("\ud800" <= letter <= "\udfff" for letter in text)


def _marked(text: str) -> bool:
    return text.startswith(MARK)


def _within(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {_within(key, change): _within(inner, change) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_within(inner, change) for inner in value]
    if isinstance(uri := getattr(value, "uri", None), str):
        artifact = copy.copy(value)
        artifact.uri = change(uri)
        return artifact
    return value
