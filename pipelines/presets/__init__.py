"""Named sets of parameter values: `jamflow run train-groove --preset laptop`.

One file a pipeline (train-groove.yaml), one mapping a preset in it, parameter names as keys. Flags come before presets.
A pipeline that has a parameter called preset keeps the flag for itself.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from models.music.config import nearest, read_yaml
from models.music.errors import BadConfig

FOLDER = Path(__file__).parent
OURS = "preset_of_values"


def add_preset_flag(parser: argparse.ArgumentParser) -> None:
    """Add --preset, unless the pipeline has a parameter of that name."""
    if "--preset" not in parser._option_string_actions:
        parser.add_argument(
            "--preset", dest=OURS, metavar="NAME", help="values from pipelines/presets, e.g. tiny or laptop"
        )


def preset(pipeline: str, values: argparse.Namespace) -> dict[str, Any]:
    """Return the values of the chosen preset of a pipeline."""
    name = getattr(values, OURS, None)
    if name is None:
        return {}
    file = FOLDER / f"{pipeline}.yaml"
    if not file.is_file():
        raise BadConfig(f"--preset {name}: {pipeline} has no presets. Leave the flag out.")
    known = read_yaml(file)
    if name not in known:
        raise BadConfig(f"--preset {name}: {pipeline} has no such preset; {nearest(name, known)}.")
    return dict(known[name] or {})
